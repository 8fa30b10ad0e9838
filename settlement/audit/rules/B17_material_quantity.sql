-- id             = "B17"
-- name           = "耗材数量超标"
-- name_en        = "more material than operations need"
-- purpose        = "一次住院收取的耗材数量超过每次手术的上限"
-- purpose_en     = "more of a material charged in a stay than its operations may use"
-- national_ref   = "GZ10000303003000"
-- category       = "medical"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "operation", "kb_max"]
-- deduction      = "DQ"
-- effective_from = 2021-05-01
-- message        = "共计 {observed},上限 {limit}(手术 {operations} 次,每次 {each})"
-- message_en     = "{observed} charged, limit {limit} ({operations} operations, {each} each)"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第二项"
--
-- [limits]
-- misses = "一台手术编码登记多条的按多次计;没有手术记录的按一次计并列为可疑;同类耗材以不同编码收取的分别比较"

-- Where two limits are in force at once the higher one counts
WITH listed AS (
    SELECT
        line.setl_id, line.bkkp_sn, line.hilist_code, line.cnt, MAX(kb_max.max_cnt) AS max_cnt
    FROM line
    INNER JOIN kb_max
        ON line.hilist_code = kb_max.hilist_code
        AND line.d BETWEEN kb_max.begndate AND kb_max.enddate
    GROUP BY line.setl_id, line.bkkp_sn, line.hilist_code, line.cnt
),

total AS (
    SELECT setl_id, hilist_code, SUM(cnt) AS observed, MAX(max_cnt) AS max_cnt
    FROM listed
    GROUP BY setl_id, hilist_code
),

performed AS (
    SELECT setl_id, COUNT(*) AS operations
    FROM operation
    GROUP BY setl_id
),

counted AS (
    SELECT
        total.setl_id, total.hilist_code, total.observed, total.max_cnt,
        COALESCE(performed.operations, 0) AS operations
    FROM total
    LEFT JOIN performed
        ON total.setl_id = performed.setl_id
),

excess AS (
    SELECT
        setl_id, hilist_code, observed, max_cnt, operations,
        max_cnt * GREATEST(operations, 1) AS allowed
    FROM counted
    WHERE observed > max_cnt * GREATEST(operations, 1)
)

SELECT
    listed.setl_id,
    listed.bkkp_sn,
    CAST(excess.observed - excess.allowed AS DECIMAL(18, 4)) AS part,
    CAST(excess.observed AS DECIMAL(18, 4))                  AS whole,
    NULL::VARCHAR                                            AS related,
    'observed=' || RTRIM(RTRIM(CAST(excess.observed AS VARCHAR), '0'), '.')
    || ' limit=' || RTRIM(RTRIM(CAST(excess.allowed AS VARCHAR), '0'), '.')
    || ' operations=' || CAST(excess.operations AS VARCHAR)
    || ' each=' || RTRIM(RTRIM(CAST(excess.max_cnt AS VARCHAR), '0'), '.') AS evidence,
    CASE WHEN excess.operations = 0 THEN '可疑' ELSE '违规' END AS grade
FROM listed
INNER JOIN excess
    ON listed.setl_id = excess.setl_id
    AND listed.hilist_code = excess.hilist_code
