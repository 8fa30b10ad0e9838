-- id             = "A02"
-- name           = "已退费仍申报"
-- name_en        = "claimed after refund"
-- purpose        = "已经退费的结算仍列入本月申报"
-- purpose_en     = "a settlement already refunded is still claimed"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["claimed", "prior_reversal"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "该结算已退费(退费标志 {marked},退费清算年月 {reversed_in}),本月仍按 {medfee} 元申报且无冲销记录"
-- message_en     = "already refunded (flag {marked}, reversal cleared in {reversed_in}) yet claimed at {medfee} yuan with no reversal this month"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "线下退费而未上传退费标志或冲销记录的,看不到"

WITH reversed_now AS (
    SELECT DISTINCT fixmedins_code, init_setl_id
    FROM claimed
    WHERE refd_setl_flag = '1' AND medfee_sumamt <= 0
),

reversed_before AS (
    SELECT
        init_setl_id,
        min(clr_ym) AS clr_ym,
        string_agg(setl_id, ',' ORDER BY setl_id) AS reversals
    FROM prior_reversal
    GROUP BY init_setl_id
)

SELECT
    c.setl_id,
    NULL::VARCHAR AS bkkp_sn,
    1::DECIMAL(18,4) AS part,
    1::DECIMAL(18,4) AS whole,
    b.reversals AS related,
    'medfee=' || c.medfee_sumamt || ' marked=' || c.refd_setl_flag
        || ' reversed_in=' || coalesce(b.clr_ym, '-') AS evidence
FROM claimed AS c
LEFT JOIN reversed_before AS b ON c.setl_id = b.init_setl_id
WHERE c.medfee_sumamt > 0
    AND (c.refd_setl_flag = '1' OR b.init_setl_id IS NOT NULL)
    AND NOT EXISTS (
        SELECT 1
        FROM reversed_now AS n
        WHERE n.fixmedins_code = c.fixmedins_code AND n.init_setl_id = c.setl_id
    )
