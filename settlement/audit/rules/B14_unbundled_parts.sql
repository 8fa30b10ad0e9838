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
    SELECT bundle_code, part_code, d, COUNT(*) OVER (PARTITION BY bundle_code, d) AS parts
    FROM (
        SELECT DISTINCT kb_bundle.bundle_code, kb_bundle.part_code, charged.d
        FROM (SELECT DISTINCT d FROM listed) AS charged
        INNER JOIN kb_bundle
            ON charged.d BETWEEN kb_bundle.begndate AND kb_bundle.enddate
    ) AS in_force
),

charged_part AS (
    SELECT
        listed.psn_no, listed.fixmedins_code, listed.d, composed.bundle_code, composed.parts,
        SUM(listed.det_item_fee_sumamt) AS amount,
        SUM(listed.inscp_amt)           AS in_scope
    FROM listed
    INNER JOIN composed
        ON listed.hilist_code = composed.part_code
        AND listed.d = composed.d
    GROUP BY
        listed.psn_no, listed.fixmedins_code, listed.d, composed.bundle_code, composed.parts,
        listed.hilist_code
),

complete AS (
    SELECT psn_no, fixmedins_code, d, bundle_code, SUM(amount) AS amount, SUM(in_scope) AS in_scope
    FROM charged_part
    GROUP BY psn_no, fixmedins_code, d, bundle_code, parts
    HAVING COUNT(*) = parts AND SUM(in_scope) > 0
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
    listed.setl_id,
    listed.bkkp_sn,
    CAST(dear.amount - dear.price AS DECIMAL(18, 4)) AS part,
    CAST(dear.in_scope AS DECIMAL(18, 4))            AS whole,
    NULL::VARCHAR                                    AS related,
    'window=' || CAST(dear.d AS VARCHAR) || ' bundle=' || dear.bundle_code
    || ' observed=' || CAST(dear.amount AS VARCHAR)
    || ' limit=' || RTRIM(RTRIM(CAST(dear.price AS VARCHAR), '0'), '.') AS evidence
FROM dear
INNER JOIN composed
    ON dear.bundle_code = composed.bundle_code
    AND dear.d = composed.d
INNER JOIN listed
    ON dear.psn_no = listed.psn_no
    AND dear.fixmedins_code = listed.fixmedins_code
    AND dear.d = listed.d
    AND composed.part_code = listed.hilist_code
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY listed.setl_id, listed.bkkp_sn ORDER BY dear.bundle_code
) = 1
