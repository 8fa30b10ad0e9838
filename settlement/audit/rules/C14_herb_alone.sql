-- id             = "C14"
-- name           = "中药饮片单方不予支付"
-- name_en        = "herb not payable alone"
-- purpose        = "一张处方的中药饮片全部是单方不予支付的品种"
-- purpose_en     = "all herbs of a prescription are ones not payable alone"
-- national_ref   = "GZ10000101004000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_tcm"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "本处方 {observed} 条中药饮片明细均为单方(或单复方)不予支付的品种"
-- message_en     = "all {observed} herb lines of the prescription are herbs not payable alone (or at all)"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "住院;没有处方号的明细按一张结算单合看;分开结算或分开处方的同一剂药"

WITH herb AS (
    SELECT line.setl_id, line.bkkp_sn, line.rx_drord_no, line.inscp_amt, kb_tcm.kind
    FROM line
    LEFT JOIN kb_tcm
        ON line.hilist_code = kb_tcm.hilist_code
        AND line.d BETWEEN kb_tcm.begndate AND kb_tcm.enddate
    WHERE line.list_type = '102'
),

-- Lines without a prescription number are one prescription
prescribed AS (
    SELECT
        setl_id,
        bkkp_sn,
        inscp_amt,
        COUNT(bkkp_sn) OVER (PARTITION BY setl_id, rx_drord_no)                                  AS herbs,
        COUNT(kind) OVER (PARTITION BY setl_id, rx_drord_no)                                     AS listed,
        MAX(CASE WHEN kind = '单方' THEN 1 ELSE 0 END) OVER (PARTITION BY setl_id, rx_drord_no) AS any_single
    FROM herb
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'observed=' || CAST(herbs AS VARCHAR) AS evidence
FROM prescribed
WHERE
    listed = herbs
    AND any_single = 1
    AND inscp_amt > 0
GROUP BY setl_id, bkkp_sn, herbs
