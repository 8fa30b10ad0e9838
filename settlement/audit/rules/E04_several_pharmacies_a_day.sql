-- id             = "E04"
-- name           = "同日多店购同药"
-- name_en        = "several pharmacies on one day"
-- purpose        = "同一人同一天在不同药店购同一药品,或在三家以上药店购药"
-- purpose_en     = "one person buys the same drug at different pharmacies on one day, or buys at three or more"
-- national_ref   = "GZ10000204003000"
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "line", "generic"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "{window} 当日在 {pharmacies} 家药店购药,与他店同药(1 是,0 否):{same_drug}"
-- message_en     = "bought at {pharmacies} pharmacies on {window}; the same drug elsewhere (1 yes, 0 no): {same_drug}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第二项"
--
-- [limits]
-- misses = "每天最先购药的一家;代他人购药与本人购药分不开;通用名对照缺失的药品按目录编码前缀归并"

WITH moving AS (
    SELECT psn_no, sd, COUNT(DISTINCT fixmedins_code) AS pharmacies
    FROM settlement
    GROUP BY psn_no, sd
    HAVING COUNT(DISTINCT fixmedins_code) > 1
),

visit AS (
    SELECT
        settlement.setl_id, settlement.psn_no, settlement.sd, settlement.setl_time,
        settlement.fixmedins_code, moving.pharmacies,
        FIRST_VALUE(settlement.setl_id) OVER first_of_day        AS first_setl_id,
        FIRST_VALUE(settlement.fixmedins_code) OVER first_of_day AS first_pharmacy
    FROM settlement
    INNER JOIN moving
        ON settlement.psn_no = moving.psn_no
        AND settlement.sd = moving.sd
    WINDOW first_of_day AS (
        PARTITION BY settlement.psn_no, settlement.sd ORDER BY settlement.setl_time, settlement.setl_id
    )
),

drug AS (
    SELECT
        visit.setl_id, visit.psn_no, visit.sd, visit.setl_time, visit.fixmedins_code, visit.pharmacies,
        generic.generic_id
    FROM line
    INNER JOIN visit ON line.setl_id = visit.setl_id
    INNER JOIN generic ON line.hilist_code = generic.hilist_code
    WHERE line.list_type LIKE '1%'
),

same_drug AS (
    SELECT
        setl_id, sd, fixmedins_code, pharmacies,
        FIRST_VALUE(setl_id) OVER first_of_drug        AS first_setl_id,
        FIRST_VALUE(fixmedins_code) OVER first_of_drug AS first_pharmacy
    FROM drug
    WINDOW first_of_drug AS (PARTITION BY psn_no, sd, generic_id ORDER BY setl_time, setl_id)
),

hit AS (
    SELECT setl_id, sd, pharmacies, first_setl_id, 1 AS is_same
    FROM same_drug
    WHERE fixmedins_code <> first_pharmacy
    UNION ALL
    SELECT setl_id, sd, pharmacies, first_setl_id, 0 AS is_same
    FROM visit
    WHERE pharmacies >= 3 AND fixmedins_code <> first_pharmacy
)

SELECT
    setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    MIN(first_setl_id)        AS related,
    'window=' || CAST(sd AS VARCHAR) || ' pharmacies=' || CAST(pharmacies AS VARCHAR)
    || ' same_drug=' || CAST(MAX(is_same) AS VARCHAR) AS evidence
FROM hit
GROUP BY setl_id, sd, pharmacies
