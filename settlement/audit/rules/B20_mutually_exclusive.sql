-- id             = "B20"
-- name           = "项目互斥"
-- name_en        = "items that exclude each other"
-- purpose        = "同一人、同一机构、同一日收取了两个互斥的项目"
-- purpose_en     = "two items that exclude each other charged for one person on one day"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_mutex"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "{window} 收取 {code},与同日收取的 {other} 互斥,扣单价较低的一项"
-- message_en     = "{code} on {window} excludes {other} of the same day; the cheaper one is deducted"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [limits]
-- misses = "不同部位、不同时段分别进行的两个项目也会命中,由申诉说明;分在两日收取的"

WITH listed AS (
    SELECT setl_id, bkkp_sn, psn_no, fixmedins_code, d, hilist_code, pric
    FROM line
    WHERE hilist_code IN (SELECT code_a FROM kb_mutex UNION SELECT code_b FROM kb_mutex)
),

-- Both sides of a pair fall into one group, so that lines never meet lines pair by pair
side AS (
    SELECT code_a, code_b, national, begndate, enddate, code_a AS code FROM kb_mutex
    UNION ALL
    SELECT code_a, code_b, national, begndate, enddate, code_b AS code FROM kb_mutex
),

met AS (
    SELECT
        listed.psn_no, listed.fixmedins_code, listed.d, side.code_a, side.code_b, side.national,
        MAX(CASE WHEN side.code = side.code_a THEN listed.pric END) AS price_a,
        MAX(CASE WHEN side.code = side.code_b THEN listed.pric END) AS price_b
    FROM listed
    INNER JOIN side
        ON listed.hilist_code = side.code
        AND listed.d BETWEEN side.begndate AND side.enddate
    GROUP BY
        listed.psn_no, listed.fixmedins_code, listed.d, side.code_a, side.code_b, side.national
),

cheaper AS (
    SELECT psn_no, fixmedins_code, d, national, code_a AS code, code_b AS other
    FROM met
    WHERE price_a < price_b OR (price_a = price_b AND code_a > code_b)
    UNION ALL
    SELECT psn_no, fixmedins_code, d, national, code_b AS code, code_a AS other
    FROM met
    WHERE price_b < price_a OR (price_b = price_a AND code_b > code_a)
),

proved AS (
    SELECT
        cheaper.psn_no, cheaper.fixmedins_code, cheaper.d, cheaper.code, cheaper.other, cheaper.national,
        MIN(listed.setl_id || '/' || listed.bkkp_sn) AS other_line
    FROM cheaper
    INNER JOIN listed
        ON cheaper.psn_no = listed.psn_no
        AND cheaper.fixmedins_code = listed.fixmedins_code
        AND cheaper.d = listed.d
        AND cheaper.other = listed.hilist_code
    GROUP BY
        cheaper.psn_no, cheaper.fixmedins_code, cheaper.d, cheaper.code, cheaper.other, cheaper.national
)

SELECT
    listed.setl_id,
    listed.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    proved.other_line         AS related,
    'window=' || CAST(listed.d AS VARCHAR)
    || ' code=' || listed.hilist_code || ' other=' || proved.other AS evidence,
    CASE WHEN proved.national = '1' THEN '违规' ELSE '可疑' END AS grade
FROM listed
INNER JOIN proved
    ON listed.psn_no = proved.psn_no
    AND listed.fixmedins_code = proved.fixmedins_code
    AND listed.d = proved.d
    AND listed.hilist_code = proved.code
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY listed.setl_id, listed.bkkp_sn
    ORDER BY CASE WHEN proved.national = '1' THEN 0 ELSE 1 END, proved.other_line
) = 1
