-- id             = "D09"
-- name           = "低标入院"
-- name_en        = "stay without need"
-- purpose        = "短住院以检查检验为主而几乎没有治疗,或主诊断在不需住院的目录内"
-- purpose_en     = "a short stay of tests with hardly any treatment, or a main diagnosis listed as needing no stay"
-- national_ref   = "GZ10000204005000"
-- category       = "management"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "enddate"
-- reads          = ["settlement", "line", "operation"]
-- uses           = ["kb_lowdiag"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "费用 {total} 元,其中检查检验 {tests} 元、治疗药品 {treatment} 元;主诊断在目录内(1 是,0 否):{listed}"
-- message_en     = "charges {total}, of them tests {tests}, treatment and drugs {treatment}; diagnosis listed (1 yes, 0 no): {listed}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第一项"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第二项"
--
-- [parameters.low_stay_days]
-- unit    = "days"
-- meaning = "住院天数不超过此值才比较费用结构"
--
-- [parameters.low_exam_share]
-- unit    = "ratio"
-- meaning = "检查、化验费占比达到此值"
--
-- [parameters.low_treat_share]
-- unit    = "ratio"
-- meaning = "治疗、药品费占比不超过此值"
--
-- [limits]
-- misses = "没有手术信息的地区不运行;病情是否需要住院只看费用结构和主诊断,由复审判断"

WITH short AS (
    SELECT setl_id
    FROM settlement
    WHERE
        enddate >= begndate
        AND GREATEST(1, DATE_DIFF('day', begndate, enddate)) <= $low_stay_days
        AND setl_id NOT IN (SELECT setl_id FROM operation)
),

cost AS (
    SELECT
        line.setl_id,
        CAST(SUM(line.det_item_fee_sumamt) AS DECIMAL(18, 2)) AS total,
        CAST(
            SUM(CASE WHEN line.med_chrgitm_type IN ('03', '04') THEN line.det_item_fee_sumamt ELSE 0 END)
            AS DECIMAL(18, 2)
        ) AS tests,
        CAST(
            SUM(
                CASE
                    WHEN line.med_chrgitm_type IN ('05', '09', '10', '11') THEN line.det_item_fee_sumamt
                    ELSE 0
                END
            ) AS DECIMAL(18, 2)
        ) AS treatment
    FROM line
    INNER JOIN short ON line.setl_id = short.setl_id
    GROUP BY line.setl_id
    HAVING MAX(CASE WHEN line.med_chrgitm_type = '06' THEN 1 ELSE 0 END) = 0
),

-- The lengths of the prefixes, so that prefixes are met by equality
size AS (
    SELECT DISTINCT LENGTH(diag_prefix) AS chars
    FROM kb_lowdiag
),

listed AS (
    SELECT settlement.setl_id
    FROM settlement
    CROSS JOIN size
    INNER JOIN kb_lowdiag
        ON LEFT(settlement.dscg_maindiag_code, size.chars) = kb_lowdiag.diag_prefix
        AND settlement.enddate BETWEEN kb_lowdiag.begndate AND kb_lowdiag.enddate
    WHERE settlement.enddate >= settlement.begndate
),

hit AS (
    SELECT setl_id, total, tests, treatment, 0 AS listed
    FROM cost
    WHERE total > 0 AND tests >= $low_exam_share * total AND treatment <= $low_treat_share * total
    UNION ALL
    SELECT setl_id, NULL, NULL, NULL, 1
    FROM listed
)

SELECT
    setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'total=' || COALESCE(CAST(MAX(total) AS VARCHAR), '-')
    || ' tests=' || COALESCE(CAST(MAX(tests) AS VARCHAR), '-')
    || ' treatment=' || COALESCE(CAST(MAX(treatment) AS VARCHAR), '-')
    || ' listed=' || CAST(MAX(listed) AS VARCHAR) AS evidence
FROM hit
GROUP BY setl_id
