-- id             = "B05"
-- name           = "限定频次(每日次数)"
-- name_en        = "daily frequency limit"
-- purpose        = "同一项目一日内收取的次数超过规定次数"
-- purpose_en     = "an item charged more often a day than allowed"
-- national_ref   = "GZ10000102014000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_freq"]
-- deduction      = "DQ"
-- effective_from = 2021-05-01
-- message        = "{window} 共计 {observed} 次,超过每日 {limit} 次"
-- message_en     = "{observed} on {window}, limit {limit} a day"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [limits]
-- misses = "同日在不同机构或以不同编码收取的次数;跨申报月补记在同一日的明细"

WITH lowest AS (
    SELECT hilist_code, MIN(max_cnt) AS max_cnt FROM kb_freq WHERE unit = '日' GROUP BY hilist_code
),

listed AS NOT MATERIALIZED (
    SELECT
        line.setl_id, line.bkkp_sn, line.psn_key, line.fixmedins_code, line.d, line.hilist_code, line.cnt,
        lowest.max_cnt
    FROM line
    INNER JOIN lowest ON line.hilist_code = lowest.hilist_code
),

total AS (
    SELECT psn_key, fixmedins_code, d, hilist_code, SUM(cnt) AS observed
    FROM listed
    GROUP BY psn_key, fixmedins_code, d, hilist_code
    HAVING SUM(cnt) > MIN(max_cnt)
),

-- Where two limits are in force at once the higher one counts
excess AS (
    SELECT
        total.psn_key,
        total.fixmedins_code,
        total.d,
        total.hilist_code,
        CAST(total.observed AS DECIMAL(18, 4)) AS observed,
        CAST(MAX(kb_freq.max_cnt) AS DECIMAL(18, 4)) AS allowed
    FROM total
    INNER JOIN kb_freq
        ON total.hilist_code = kb_freq.hilist_code
        AND total.d BETWEEN kb_freq.begndate AND kb_freq.enddate
    WHERE kb_freq.unit = '日'
    GROUP BY total.psn_key, total.fixmedins_code, total.d, total.hilist_code, total.observed
    HAVING total.observed > MAX(kb_freq.max_cnt)
),

hit AS (
    SELECT
        listed.setl_id,
        listed.bkkp_sn,
        listed.d,
        listed.setl_id || '/' || listed.bkkp_sn                         AS this_line,
        MIN(listed.setl_id || '/' || listed.bkkp_sn) OVER same_group    AS first_line,
        MAX(listed.setl_id || '/' || listed.bkkp_sn) OVER same_group    AS last_line,
        excess.observed,
        excess.allowed
    FROM listed
    INNER JOIN excess
        ON listed.psn_key = excess.psn_key
        AND listed.fixmedins_code = excess.fixmedins_code
        AND listed.d = excess.d
        AND listed.hilist_code = excess.hilist_code
    WINDOW same_group AS (
        PARTITION BY listed.psn_key, listed.fixmedins_code, listed.d, listed.hilist_code
    )
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(observed - allowed AS DECIMAL(18, 4)) AS part,
    observed                                   AS whole,
    CASE WHEN first_line <> this_line THEN first_line WHEN last_line <> this_line THEN last_line END
        AS related,
    'window=' || CAST(d AS VARCHAR)
    || ' observed=' || RTRIM(RTRIM(CAST(observed AS VARCHAR), '0'), '.')
    || ' limit=' || RTRIM(RTRIM(CAST(allowed AS VARCHAR), '0'), '.') AS evidence
FROM hit
