-- id             = "A12"
-- name           = "目录外项目纳入统筹"
-- name_en        = "item outside the catalogue counted in scope"
-- purpose        = "目录外(丙类)项目纳入了支付范围"
-- purpose_en     = "an item outside the catalogue is counted in scope"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "hilist"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "{day} 目录等级为丙类(自费),仍有 {inscp} 元纳入支付范围"
-- message_en     = "self-paid class in the catalogue on {day}, yet {inscp} yuan counted in scope"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "只看目录等级,不看明细自报的等级;目录中没有的编码由 A11 报"

WITH self_paid AS (
    SELECT hilist_code, begndate, enddate
    FROM hilist
    WHERE chrgitm_lv = '03'
)

-- Distinct, because two rows of the catalogue may be in force on one day.
SELECT DISTINCT
    l.setl_id,
    l.bkkp_sn,
    1::DECIMAL(18,4) AS part,
    1::DECIMAL(18,4) AS whole,
    NULL::VARCHAR AS related,
    'day=' || l.d || ' inscp=' || l.inscp_amt AS evidence
FROM line AS l
INNER JOIN self_paid AS h
    ON l.hilist_code = h.hilist_code
    AND l.d BETWEEN h.begndate AND h.enddate
WHERE l.inscp_amt > 0
