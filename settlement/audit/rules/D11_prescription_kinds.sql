-- id             = "D11"
-- name           = "药品种类超标"
-- name_en        = "too many drugs in a prescription"
-- purpose        = "一张处方的西药、中成药超过规定的种数"
-- purpose_en     = "a prescription with more drugs than allowed"
-- national_ref   = "GZ10000202004000"
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line"]
-- deduction      = "DG"
-- effective_from = 2021-05-01
-- message        = "处方第 {place} 种药品,共 {observed} 种,上限 {limit} 种"
-- message_en     = "drug {place} of {observed} in one prescription, limit {limit}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第二项"
--
-- [[basis]]
-- source  = "rx-2007"
-- article = "第六条"
--
-- [parameters.rx_kinds_max]
-- unit    = "count"
-- meaning = "一张处方的药品种数上限"
--
-- [limits]
-- misses = "没有处方号的明细;为避开种数限制分开的处方;同一药品有几个编码时按编码各算一种"

WITH drug AS NOT MATERIALIZED (
    SELECT setl_id, rx_drord_no, hilist_code, bkkp_sn, fee_ocur_time
    FROM line
    WHERE list_type = '101'
),

-- Only prescriptions with that many lines are sorted; a line without a prescription number joins none
long AS (
    SELECT setl_id, rx_drord_no
    FROM drug
    GROUP BY setl_id, rx_drord_no
    HAVING COUNT(*) > $rx_kinds_max
),

first AS (
    SELECT
        drug.setl_id, drug.rx_drord_no, drug.hilist_code, drug.bkkp_sn, drug.fee_ocur_time,
        ROW_NUMBER() OVER (
            PARTITION BY drug.setl_id, drug.rx_drord_no, drug.hilist_code
            ORDER BY drug.fee_ocur_time, drug.bkkp_sn
        ) AS place
    FROM drug
    INNER JOIN long ON drug.setl_id = long.setl_id AND drug.rx_drord_no = long.rx_drord_no
),

kind AS (
    SELECT
        setl_id, rx_drord_no, hilist_code,
        ROW_NUMBER() OVER (PARTITION BY setl_id, rx_drord_no ORDER BY fee_ocur_time, bkkp_sn) AS place,
        COUNT(*) OVER (PARTITION BY setl_id, rx_drord_no)                                     AS kinds
    FROM first
    WHERE place = 1
)

SELECT
    first.setl_id,
    first.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'place=' || CAST(kind.place AS VARCHAR) || ' observed=' || CAST(kind.kinds AS VARCHAR)
    || ' limit=' || CAST($rx_kinds_max AS VARCHAR) AS evidence
FROM first
INNER JOIN kind
    ON first.setl_id = kind.setl_id
    AND first.rx_drord_no = kind.rx_drord_no
    AND first.hilist_code = kind.hilist_code
WHERE kind.place > $rx_kinds_max
