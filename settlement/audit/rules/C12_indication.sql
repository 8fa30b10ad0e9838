-- id             = "C12"
-- name           = "限适应症"
-- name_en        = "limited to an indication"
-- purpose        = "限适应症的药品或项目,本次结算没有相应的诊断"
-- purpose_en     = "a drug or service limited to an indication that none of the diagnoses meets"
-- national_ref   = "GZ10000101008000"
-- category       = "policy"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "diagnosis", "kb_ind"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "限适应症(如 {limit} 开头的诊断),本次的 {observed} 个诊断、病种均不符"
-- message_en     = "limited to indications (such as {limit}), none of the {observed} diagnoses and diseases meets one"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "没有上传诊断、也没有病种的结算;诊断以外的限制条件(检验结果、联合用药);项目限适应症 GZ10000102007000 须把项目列入同一知识库表"

WITH listed AS (
    SELECT line.setl_id, line.bkkp_sn, line.dise_no, kb_ind.diag_prefix
    FROM line
    INNER JOIN kb_ind
        ON line.hilist_code = kb_ind.hilist_code
        AND line.d BETWEEN kb_ind.begndate AND kb_ind.enddate
    WHERE line.inscp_amt > 0
),

said AS (
    SELECT setl_id, diag_code AS code
    FROM diagnosis
    WHERE setl_id IN (SELECT setl_id FROM listed)
    UNION ALL
    SELECT DISTINCT setl_id, dise_no FROM listed WHERE dise_no IS NOT NULL
),

told AS (
    SELECT setl_id, COUNT(code) AS codes
    FROM said
    GROUP BY setl_id
),

-- Codes meet prefixes once each, not once a line
met AS (
    SELECT told_code.code, prefix.diag_prefix
    FROM (SELECT DISTINCT code FROM said) AS told_code
    INNER JOIN (SELECT DISTINCT diag_prefix FROM kb_ind) AS prefix
        ON LEFT(told_code.code, LENGTH(prefix.diag_prefix)) = prefix.diag_prefix
),

proof AS (
    SELECT said.setl_id, met.diag_prefix
    FROM said
    INNER JOIN met ON said.code = met.code
)

SELECT
    listed.setl_id,
    listed.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'limit=' || MIN(listed.diag_prefix) || ' observed=' || CAST(told.codes AS VARCHAR) AS evidence
FROM listed
INNER JOIN told
    ON listed.setl_id = told.setl_id
LEFT JOIN proof
    ON listed.setl_id = proof.setl_id
    AND listed.diag_prefix = proof.diag_prefix
GROUP BY listed.setl_id, listed.bkkp_sn, told.codes
HAVING COUNT(proof.setl_id) = 0
