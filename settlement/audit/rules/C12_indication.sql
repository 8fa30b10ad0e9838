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
-- message        = "限适应症(如诊断 {limit} 开头),本次 {observed} 个诊断、病种 {disease} 均不符"
-- message_en     = "limited to indications (such as {limit}), none of the {observed} diagnoses nor disease {disease} meets one"
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
    WHERE
        line.inscp_amt > 0
),

said AS (
    SELECT setl_id, diag_code
    FROM diagnosis
    WHERE setl_id IN (SELECT setl_id FROM listed)
),

-- Codes meet prefixes once each, not once a line
met AS (
    SELECT code.diag_code, prefix.diag_prefix
    FROM (SELECT DISTINCT diag_code FROM said) AS code
    INNER JOIN (SELECT DISTINCT diag_prefix FROM kb_ind) AS prefix
        ON LEFT(code.diag_code, LENGTH(prefix.diag_prefix)) = prefix.diag_prefix
),

proof AS (
    SELECT DISTINCT said.setl_id, met.diag_prefix
    FROM said
    INNER JOIN met ON said.diag_code = met.diag_code
),

told AS (
    SELECT setl_id, COUNT(diag_code) AS diagnoses
    FROM said
    GROUP BY setl_id
)

SELECT
    listed.setl_id,
    listed.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'limit=' || MIN(listed.diag_prefix)
    || ' observed=' || CAST(COALESCE(told.diagnoses, 0) AS VARCHAR)
    || ' disease=' || COALESCE(REPLACE(listed.dise_no, ' ', ''), '-') AS evidence
FROM listed
LEFT JOIN proof
    ON listed.setl_id = proof.setl_id
    AND listed.diag_prefix = proof.diag_prefix
LEFT JOIN told
    ON listed.setl_id = told.setl_id
WHERE told.diagnoses > 0 OR listed.dise_no IS NOT NULL
GROUP BY listed.setl_id, listed.bkkp_sn, listed.dise_no, told.diagnoses
HAVING
    COUNT(proof.setl_id) = 0
    AND MAX(CASE WHEN LEFT(listed.dise_no, LENGTH(listed.diag_prefix)) = listed.diag_prefix THEN 1 ELSE 0 END) = 0
