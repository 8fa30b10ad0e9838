-- id             = "D03"
-- name           = "住院重叠"
-- name_en        = "overlapping stays"
-- purpose        = "同一人的两次住院时间重叠"
-- purpose_en     = "two stays of one person overlap"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "begndate"
-- reads          = ["settlement", "past_settlement"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "{began} 入院时另一次住院尚未结束(至 {until}),同一机构(1 是,0 否):{same_institution}"
-- message_en     = "admitted on {began} while another stay lasted until {until}; same institution (1 yes, 0 no): {same_institution}"
--
-- [past]
-- days        = 366
-- settlements = "clr_type = '21'"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第一项"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第四十条第一项"
--
-- [limits]
-- misses = "一年以前申报的住院;先入院而晚申报的一次(只在后入院的一次上报告);同一次住院分段结算而入院日期未改的也会命中,由复审撤销"

-- In this order two stays overlap exactly when the earlier ends after the later begins: of stays
-- that begin on one day, those without a night come first and cover nothing.
WITH began AS (
    SELECT psn_no, MIN(begndate) AS first_day
    FROM settlement
    GROUP BY psn_no
),

known AS (
    SELECT setl_id, psn_no, fixmedins_code, begndate, enddate, setl_time, 1 AS is_new
    FROM settlement
    UNION ALL
    SELECT setl_id, psn_no, fixmedins_code, begndate, enddate, setl_time, 0
    FROM past_settlement
    INNER JOIN began USING (psn_no)
    WHERE enddate > first_day
),

stay AS (
    SELECT
        setl_id,
        psn_no,
        fixmedins_code,
        begndate,
        is_new,
        CAST(enddate AS VARCHAR) || setl_id AS ends,
        row_number() OVER (
            PARTITION BY psn_no
            ORDER BY
                begndate,
                CASE WHEN enddate = begndate THEN 0 ELSE 1 END,
                setl_time,
                setl_id
        ) AS place
    FROM known
    WHERE enddate >= begndate
),

seen AS (
    SELECT
        setl_id,
        is_new,
        begndate,
        max(ends) OVER (
            PARTITION BY psn_no
            ORDER BY place
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS anywhere,
        max(ends) OVER (
            PARTITION BY psn_no, fixmedins_code
            ORDER BY place
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS here
    FROM stay
),

judged AS (
    SELECT
        setl_id,
        begndate,
        CASE WHEN CAST(substr(here, 1, 10) AS DATE) > begndate THEN 1 ELSE 0 END AS is_here,
        CASE
            WHEN CAST(substr(here, 1, 10) AS DATE) > begndate THEN here
            ELSE anywhere
        END AS proof
    FROM seen
    WHERE is_new = 1
)

SELECT
    setl_id,
    NULL::VARCHAR AS bkkp_sn,
    1::DECIMAL(18,4) AS part,
    1::DECIMAL(18,4) AS whole,
    substr(proof, 11) AS related,
    'began=' || begndate || ' until=' || substr(proof, 1, 10)
        || ' same_institution=' || is_here AS evidence,
    CASE WHEN is_here = 1 THEN '违规' ELSE '可疑' END AS grade
FROM judged
WHERE CAST(substr(proof, 1, 10) AS DATE) > begndate
