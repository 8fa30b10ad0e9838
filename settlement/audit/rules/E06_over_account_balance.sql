-- id             = "E06"
-- name           = "超个人账户余额"
-- name_en        = "beyond the personal account balance"
-- purpose        = "个人账户支付后余额为负"
-- purpose_en     = "the personal account is below zero after paying"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement"]
-- deduction      = "DP"
-- effective_from = 2021-05-01
-- message        = "个人账户支付 {observed} 元后余额 {balance} 元"
-- message_en     = "the account paid {observed}, the balance after it was {balance}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第七项"
--
-- [limits]
-- misses = "余额未填的结算;多次透支时每笔各按其结算后余额计"

SELECT
    setl_id,
    NULL::VARCHAR                                   AS bkkp_sn,
    CAST(LEAST(acct_pay, -balc) AS DECIMAL(18, 4))  AS part,
    CAST(acct_pay AS DECIMAL(18, 4))                AS whole,
    NULL::VARCHAR                                   AS related,
    'observed=' || CAST(acct_pay AS VARCHAR) || ' balance=' || CAST(balc AS VARCHAR) AS evidence,
    '310200'                                        AS funds
FROM settlement
WHERE balc < 0 AND acct_pay > 0
