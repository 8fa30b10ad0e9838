-- id             = "C19"
-- name           = "诊断与性别、年龄不符"
-- name_en        = "diagnosis against sex or age"
-- purpose        = "诊断与参保人的性别或年龄不符"
-- purpose_en     = "a diagnosis that the person's sex or age cannot have"
-- national_ref   = "GZ10000204006000"
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "diagnosis", "kb_diag"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "诊断 {diagnosis} 限性别 {sex}、{lowest} 至 {highest} 周岁,参保人性别 {gend}、{observed} 周岁(1 男,2 女,- 为不限或未知)"
-- message_en     = "diagnosis {diagnosis} is limited to sex {sex}, age {lowest} to {highest}; the person is {gend}, {observed} (1 male, 2 female, - open or unknown)"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十九条第三项"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第四十条"
--
-- [limits]
-- misses = "性别、出生日期未知的参保人;一次结算只列一个不符的诊断;同时命中 GZ10000204007000 诊断与年龄,不另列一条;登记信息错误会误报"

WITH told AS (
    SELECT setl_id, diag_code FROM diagnosis
),

-- Codes meet prefixes once each, not once a settlement
met AS (
    SELECT
        code.diag_code, kb_diag.gend, kb_diag.min_age, kb_diag.max_age, kb_diag.begndate, kb_diag.enddate
    FROM (SELECT DISTINCT diag_code FROM told) AS code
    INNER JOIN kb_diag
        ON LEFT(code.diag_code, LENGTH(kb_diag.diag_prefix)) = kb_diag.diag_prefix
),

listed AS (
    SELECT
        settlement.setl_id, settlement.gend, settlement.brdy,
        met.diag_code, met.gend AS sex, met.min_age, met.max_age,
        CASE WHEN settlement.clr_type = '21' THEN settlement.begndate ELSE settlement.sd END AS judged_on
    FROM settlement
    INNER JOIN told ON settlement.setl_id = told.setl_id
    INNER JOIN met
        ON told.diag_code = met.diag_code
        AND settlement.sd BETWEEN met.begndate AND met.enddate
),

aged AS (
    SELECT
        setl_id, gend, diag_code, sex, min_age, max_age,
        -- full years: one less while this year's birthday is still to come
        YEAR(judged_on) - YEAR(brdy)
        - CASE
            WHEN MONTH(judged_on) * 100 + DAY(judged_on) < MONTH(brdy) * 100 + DAY(brdy) THEN 1
            ELSE 0
        END AS age
    FROM listed
)

-- One finding a settlement, whatever the number of its conflicts
SELECT
    setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    MIN(
        'diagnosis=' || REPLACE(diag_code, ' ', '')
        || ' sex=' || COALESCE(sex, '-')
        || ' lowest=' || COALESCE(CAST(min_age AS VARCHAR), '-')
        || ' highest=' || COALESCE(CAST(max_age AS VARCHAR), '-')
        || ' gend=' || COALESCE(gend, '-')
        || ' observed=' || COALESCE(CAST(age AS VARCHAR), '-')
    ) AS evidence
FROM aged
WHERE
    (gend IN ('1', '2') AND gend <> sex)
    OR age < min_age
    OR age > max_age
GROUP BY setl_id
