-- id             = "A14"
-- name           = "负数无对应"
-- name_en        = "refund without a charge"
-- purpose        = "退费明细没有对应的收费明细,或退费后数量为零而金额不为零"
-- purpose_en     = "a refund line that refunds no charge, or leaves money on a quantity of zero"
-- national_ref   = "GZ10000201002000"
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["settlement", "claimed_line"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "退费冲减后数量 {count}、金额 {amount} 元,数量应为正数,或数量、金额同为零"
-- message_en     = "after refunds quantity {count} and amount {amount} yuan: should be above zero, or both zero"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十九条第三项"
--
-- [limits]
-- misses = "退费明细只与本结算单内它所指的明细冲减,指错明细而净数量仍为正的看不到"

-- Only settlements with a refund are netted; `settlement` says which of the claimed ones are valid.
WITH refunding AS (
    SELECT setl_id
    FROM claimed_line
    WHERE
        cnt <= 0
        AND setl_id IN (SELECT setl_id FROM settlement)
),

involved AS (
    SELECT setl_id, bkkp_sn, init_feedetl_sn, cnt, det_item_fee_sumamt
    FROM claimed_line
    WHERE setl_id IN (SELECT setl_id FROM refunding)
),

-- A refund of a refund, or of a line that is not there, stands alone.
grouped AS (
    SELECT
        i.setl_id,
        COALESCE(named.bkkp_sn, i.bkkp_sn) AS bkkp_sn,
        i.cnt,
        i.det_item_fee_sumamt
    FROM involved AS i
    LEFT JOIN involved AS named
        ON i.setl_id = named.setl_id
        AND i.init_feedetl_sn = named.bkkp_sn
        AND i.cnt < 0
        AND named.cnt >= 0
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(0 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'count=' || RTRIM(RTRIM(CAST(SUM(cnt) AS VARCHAR), '0'), '.')
    || ' amount=' || CAST(SUM(det_item_fee_sumamt) AS VARCHAR) AS evidence
FROM grouped
GROUP BY setl_id, bkkp_sn
HAVING SUM(cnt) < 0 OR (SUM(cnt) = 0 AND SUM(det_item_fee_sumamt) <> 0)
