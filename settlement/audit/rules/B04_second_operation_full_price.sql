-- id             = "B04"
-- name           = "手术未折价"
-- name_en        = "second operation at full price"
-- purpose        = "同日同组的次要手术按全价收费,没有按规定比例折价"
-- purpose_en     = "a second operation of one group on the same day charged above the reduced price"
-- national_ref   = "GZ10000102002000"
-- category       = "policy"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_surgery_group"]
-- uses           = ["institution", "price_limit"]
-- deduction      = "DP"
-- effective_from = 2021-05-01
-- message        = "{day} 与主手术 {main} 同组,单价 {price} 高于折价后的 {limit}(全价 {full})"
-- message_en     = "same group as the main operation {main} on {day}; price {price} above the reduced {limit} (full {full})"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [parameters.surgery_ratio]
-- unit    = "ratio"
-- meaning = "次要手术可按全价的此比例收费,等于不命中"
--
-- [limits]
-- misses = "没有限价时以所收单价为全价,已折价的次要手术也会命中,由复审撤销;不同切口、不同就诊、不同日的手术不比较"

-- The code of the dearest line is the main operation; all lines of the other codes are to be reduced.
WITH placed AS (
    SELECT
        l.setl_id, l.bkkp_sn, l.fixmedins_code, l.hilist_code, l.d, l.pric,
        FIRST_VALUE(l.hilist_code) OVER (
            PARTITION BY l.mdtrt_id, l.psn_no, l.d, g.surgery_group
            ORDER BY l.pric DESC, l.hilist_code
        ) AS main_code
    FROM line AS l
    INNER JOIN kb_surgery_group AS g
        ON l.hilist_code = g.hilist_code
        AND l.d BETWEEN g.begndate AND g.enddate
    WHERE l.inscp_amt > 0
),

-- Who already reduces charges less than the limit: then the limit is the full price.
priced AS (
    SELECT
        l.setl_id, l.bkkp_sn, l.d, l.pric,
        MIN(l.main_code) AS main_code,
        GREATEST(l.pric, COALESCE(MAX(p.hilist_pric_uplmt_amt), l.pric)) AS full_price
    FROM placed AS l
    LEFT JOIN institution AS i
        ON l.fixmedins_code = i.fixmedins_code
        AND l.d BETWEEN i.begndate AND i.enddate
    LEFT JOIN price_limit AS p
        ON l.hilist_code = p.hilist_code
        AND i.lmtpric_hosp_lv = p.hilist_lmtpric_type
        AND l.d BETWEEN p.begndate AND p.enddate
    WHERE l.hilist_code <> l.main_code
    GROUP BY l.setl_id, l.bkkp_sn, l.d, l.pric
),

reduced AS (
    SELECT
        setl_id, bkkp_sn, d, pric, main_code, full_price,
        CAST(full_price AS DECIMAL(20, 6)) * $surgery_ratio AS allowed
    FROM priced
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(pric - allowed AS DECIMAL(18, 4)) AS part,
    CAST(pric AS DECIMAL(18, 4))           AS whole,
    NULL::VARCHAR                          AS related,
    'day=' || CAST(d AS VARCHAR) || ' main=' || main_code
    || ' price=' || RTRIM(RTRIM(CAST(pric AS VARCHAR), '0'), '.')
    || ' limit=' || RTRIM(RTRIM(CAST(allowed AS VARCHAR), '0'), '.')
    || ' full=' || RTRIM(RTRIM(CAST(full_price AS VARCHAR), '0'), '.') AS evidence
FROM reduced
WHERE pric > allowed
