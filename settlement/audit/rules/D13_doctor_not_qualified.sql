-- id             = "D13"
-- name           = "医师支付资格"
-- name_en        = "doctor without payment qualification"
-- purpose        = "开单医师的医保支付资格已暂停或终止"
-- purpose_en     = "ordered by a doctor whose qualification for payment is suspended or ended"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "staff"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "{day} 开单医师的支付资格为 {pay_status}(2 暂停,3 终止)"
-- message_en     = "on {day} the ordering doctor's qualification was {pay_status} (2 suspended, 3 ended)"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第七项"
--
-- [[basis]]
-- source  = "nhsa-7"
-- article = "第二十二条"
--
-- [parameters.emergency_med_type]
-- unit    = "code"
-- meaning = "不受限的急诊医疗类别"
--
-- [limits]
-- misses = "未填开单医师的明细;名录中没有的医师;急诊以外的抢救,由复审撤销;基金不付的明细"

-- Doctors who never lost the qualification are not looked up
WITH known AS (
    SELECT bilg_dr_code, pay_status, begndate, enddate
    FROM staff
    WHERE bilg_dr_code IN (SELECT bilg_dr_code FROM staff WHERE pay_status IN ('2', '3'))
)

SELECT
    line.setl_id,
    line.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'day=' || CAST(line.d AS VARCHAR) || ' pay_status=' || MAX(known.pay_status) AS evidence
FROM line
INNER JOIN known
    ON line.bilg_dr_code = known.bilg_dr_code
    AND line.d BETWEEN known.begndate AND known.enddate
WHERE
    line.med_type <> $emergency_med_type
    AND line.inscp_amt > 0
GROUP BY line.setl_id, line.bkkp_sn, line.d
HAVING
    MAX(CASE WHEN known.pay_status IN ('2', '3') THEN 1 ELSE 0 END) = 1
    AND MAX(CASE WHEN known.pay_status = '1' THEN 1 ELSE 0 END) = 0
