-- id             = "C06"
-- name           = "限就医方式"
-- name_en        = "limited to a kind of visit"
-- purpose        = "限定就医方式的药品用于其他就医方式"
-- purpose_en     = "a drug limited to one kind of visit used in another"
-- national_ref   = "GZ10000102009000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_mode"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "限{limit}使用,本次清算类别为 {clr_type}、医疗类别为 {med_type}"
-- message_en     = "limited to {limit}, this visit is clearing type {clr_type}, kind of care {med_type}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [parameters.emergency_med_type]
-- unit    = "code"
-- meaning = "视为急诊的医疗类别"
--
-- [limits]
-- misses = "以其他医疗类别上传的急诊会误报;基金不付的明细;家庭病床按其清算类别判断"

SELECT
    line.setl_id,
    line.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'limit=' || MIN(kb_mode.mode)
    || ' clr_type=' || line.clr_type
    || ' med_type=' || line.med_type AS evidence
FROM line
INNER JOIN kb_mode
    ON line.hilist_code = kb_mode.hilist_code
    AND line.d BETWEEN kb_mode.begndate AND kb_mode.enddate
WHERE
    line.inscp_amt > 0
    AND (
        (kb_mode.mode = '住院' AND line.clr_type <> '21')
        OR (
            kb_mode.mode = '住院或急诊'
            AND line.clr_type <> '21'
            AND line.med_type <> $emergency_med_type
        )
        OR (kb_mode.mode = '门诊' AND line.clr_type = '21')
    )
GROUP BY line.setl_id, line.bkkp_sn, line.clr_type, line.med_type
