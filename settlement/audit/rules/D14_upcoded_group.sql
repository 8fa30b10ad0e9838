-- id             = "D14"
-- name           = "高套分组"
-- name_en        = "billed in a higher group"
-- purpose        = "申报的分组与审核分组不同,或主诊断不能入组"
-- purpose_en     = "billed in another group than the audit finds, or with a main diagnosis that does not group"
-- national_ref   = ""
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "enddate"
-- reads          = ["settlement", "drg_result"]
-- uses           = ["kb_nogroup"]
-- deduction      = "DD"
-- effective_from = 2021-05-01
-- message        = "申报分组 {billed}、审核分组 {audited},支付标准多 {observed} 元;主诊断不入组(1 是,0 否):{no_group}"
-- message_en     = "group billed {billed}, audited {audited}, standard {observed} too high; diagnosis that does not group (1 yes, 0 no): {no_group}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第七项"
--
-- [[basis]]
-- source  = "nhsa-7"
-- article = "第二十三条、第三十五条"
--
-- [limits]
-- misses = "没有导入审核分组结果的结算只看主诊断目录;低编(审核标准更高)只列出,不补付"

WITH regrouped AS (
    SELECT
        settlement.setl_id,
        settlement.fund_pay_sumamt,
        REPLACE(drg_result.billed_group, ' ', '_')                            AS billed,
        REPLACE(drg_result.audited_group, ' ', '_')                           AS audited,
        GREATEST(0, drg_result.billed_std_amt - drg_result.audited_std_amt) AS too_much
    FROM settlement
    INNER JOIN drg_result ON settlement.setl_id = drg_result.setl_id
    WHERE drg_result.billed_group <> drg_result.audited_group
),

-- The lengths of the prefixes, so that prefixes are met by equality
size AS (
    SELECT DISTINCT LENGTH(diag_prefix) AS chars
    FROM kb_nogroup
),

listed AS (
    SELECT settlement.setl_id
    FROM settlement
    CROSS JOIN size
    INNER JOIN kb_nogroup
        ON LEFT(settlement.dscg_maindiag_code, size.chars) = kb_nogroup.diag_prefix
        AND settlement.enddate BETWEEN kb_nogroup.begndate AND kb_nogroup.enddate
),

hit AS (
    SELECT
        setl_id,
        CASE WHEN fund_pay_sumamt > 0 THEN too_much ELSE 0 END        AS part,
        CASE WHEN fund_pay_sumamt > 0 THEN fund_pay_sumamt ELSE 1 END AS whole,
        billed, audited, CAST(too_much AS VARCHAR) AS observed, 0 AS no_group
    FROM regrouped
    UNION ALL
    SELECT DISTINCT setl_id, 0, 1, '-', '-', '-', 1
    FROM listed
    WHERE setl_id NOT IN (SELECT setl_id FROM regrouped)
)

SELECT
    setl_id,
    NULL::VARCHAR                  AS bkkp_sn,
    CAST(part AS DECIMAL(18, 4))   AS part,
    CAST(whole AS DECIMAL(18, 4))  AS whole,
    NULL::VARCHAR                  AS related,
    'billed=' || billed || ' audited=' || audited || ' observed=' || observed
    || ' no_group=' || CAST(no_group AS VARCHAR) AS evidence
FROM hit
