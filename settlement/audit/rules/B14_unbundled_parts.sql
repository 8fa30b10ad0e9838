-- id             = "B14"
-- name           = "分解收费"
-- name_en        = "bundle charged in parts"
-- purpose        = "一日内打包项目的各组成项目全部单独收取,合计高于打包项目的价格"
-- purpose_en     = "all parts of a bundle charged singly on one day for more than the bundle costs"
-- national_ref   = "GZ10000102013000"
-- category       = "policy"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_bundle", "institution", "price_limit"]
-- deduction      = "DP"
-- effective_from = 2021-05-01
-- message        = "{window} 打包项目 {bundle} 的组成项目分开收取共 {observed} 元,打包价 {limit} 元"
-- message_en     = "the parts of bundle {bundle} charged singly on {window}: {observed}, price of the bundle {limit}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [limits]
-- misses = "缺少一个组成项目或分在两日收取的;打包项目没有限价、机构没有限价等级的;同日确需两套组成项目的按一套打包价计算"

WITH listed AS (
    SELECT setl_id, bkkp_sn, psn_no, fixmedins_code, d, hilist_code, det_item_fee_sumamt, inscp_amt
    FROM line
    WHERE hilist_code IN (SELECT part_code FROM kb_bundle UNION SELECT bundle_code FROM kb_bundle)
),

-- What a bundle consists of can change from day to day
composed AS (
    SELECT kb_bundle.bundle_code, charged.d, COUNT(DISTINCT kb_bundle.part_code) AS parts
    FROM (SELECT DISTINCT d FROM listed) AS charged
    INNER JOIN kb_bundle
        ON charged.d BETWEEN kb_bundle.begndate AND kb_bundle.enddate
    GROUP BY kb_bundle.bundle_code, charged.d
),

part_line AS (
    SELECT DISTINCT
        listed.setl_id, listed.bkkp_sn, listed.psn_no, listed.fixmedins_code, listed.d,
        listed.hilist_code, listed.det_item_fee_sumamt, listed.inscp_amt, kb_bundle.bundle_code
    FROM listed
    INNER JOIN kb_bundle
        ON listed.hilist_code = kb_bundle.part_code
        AND listed.d BETWEEN kb_bundle.begndate AND kb_bundle.enddate
),

complete AS (
    SELECT
        part_line.psn_no, part_line.fixmedins_code, part_line.d, part_line.bundle_code,
        SUM(part_line.det_item_fee_sumamt) AS amount,
        SUM(part_line.inscp_amt)           AS in_scope
    FROM part_line
    INNER JOIN composed
        ON part_line.bundle_code = composed.bundle_code
        AND part_line.d = composed.d
    GROUP BY
        part_line.psn_no, part_line.fixmedins_code, part_line.d, part_line.bundle_code, composed.parts
    HAVING COUNT(DISTINCT part_line.hilist_code) = composed.parts AND SUM(part_line.inscp_amt) > 0
),

-- Where two prices are in force at once the higher one counts
dear AS (
    SELECT
        complete.psn_no, complete.fixmedins_code, complete.d, complete.bundle_code,
        complete.amount, complete.in_scope, MAX(price_limit.hilist_pric_uplmt_amt) AS price
    FROM complete
    INNER JOIN institution
        ON complete.fixmedins_code = institution.fixmedins_code
        AND complete.d BETWEEN institution.begndate AND institution.enddate
    INNER JOIN price_limit
        ON complete.bundle_code = price_limit.hilist_code
        AND institution.lmtpric_hosp_lv = price_limit.hilist_lmtpric_type
        AND complete.d BETWEEN price_limit.begndate AND price_limit.enddate
    WHERE NOT EXISTS (
        SELECT 1
        FROM listed
        WHERE
            listed.psn_no = complete.psn_no
            AND listed.fixmedins_code = complete.fixmedins_code
            AND listed.d = complete.d
            AND listed.hilist_code = complete.bundle_code
    )
    GROUP BY
        complete.psn_no, complete.fixmedins_code, complete.d, complete.bundle_code,
        complete.amount, complete.in_scope
    HAVING complete.amount > MAX(price_limit.hilist_pric_uplmt_amt)
)

SELECT
    part_line.setl_id,
    part_line.bkkp_sn,
    CAST(dear.amount - dear.price AS DECIMAL(18, 4)) AS part,
    CAST(dear.in_scope AS DECIMAL(18, 4))            AS whole,
    NULL::VARCHAR                                    AS related,
    'window=' || CAST(dear.d AS VARCHAR) || ' bundle=' || dear.bundle_code
    || ' observed=' || CAST(dear.amount AS VARCHAR)
    || ' limit=' || RTRIM(RTRIM(CAST(dear.price AS VARCHAR), '0'), '.') AS evidence
FROM part_line
INNER JOIN dear
    ON part_line.psn_no = dear.psn_no
    AND part_line.fixmedins_code = dear.fixmedins_code
    AND part_line.d = dear.d
    AND part_line.bundle_code = dear.bundle_code
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY part_line.setl_id, part_line.bkkp_sn ORDER BY part_line.bundle_code
) = 1
