-- id             = "C16"
-- name           = "限科室"
-- name_en        = "limited to departments"
-- purpose        = "限科室的项目由其他科室开单"
-- purpose_en     = "a service limited to certain departments ordered by another"
-- national_ref   = "GZ10000102008000"
-- category       = "policy"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_dept"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "限 {count} 个科室(如 {limit})使用,开单科室为 {observed}"
-- message_en     = "limited to {count} departments (such as {limit}), ordered by {observed}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "没有开单科室的明细;执行科室;机构自编的科室编码须先对照;耗材与科室不符 GZ10000303002000 须列入同一知识库表"

SELECT
    line.setl_id,
    line.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'limit=' || REPLACE(MIN(kb_dept.bilg_dept_codg), ' ', '')
    || ' count=' || CAST(COUNT(DISTINCT kb_dept.bilg_dept_codg) AS VARCHAR)
    || ' observed=' || REPLACE(line.bilg_dept_codg, ' ', '') AS evidence
FROM line
INNER JOIN kb_dept
    ON line.hilist_code = kb_dept.hilist_code
    AND line.d BETWEEN kb_dept.begndate AND kb_dept.enddate
WHERE
    line.bilg_dept_codg IS NOT NULL
    AND line.inscp_amt > 0
GROUP BY line.setl_id, line.bkkp_sn, line.bilg_dept_codg
HAVING MAX(CASE WHEN kb_dept.bilg_dept_codg = line.bilg_dept_codg THEN 1 ELSE 0 END) = 0
