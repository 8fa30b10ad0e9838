-- id             = "A18"
-- name           = "已零星报销"
-- name_en        = "already reimbursed by hand"
-- purpose        = "已由参保人零星(手工)报销的费用又由机构申报"
-- purpose_en     = "costs already reimbursed to the person by hand are claimed by the institution"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "manual_reimbursement"]
-- deduction      = "DS"
-- effective_from = 2021-05-01
-- message        = "总额 {medfee} 元的费用已零星报销;与报销单发票号相同(1 是,0 否):{same_invoice}"
-- message_en     = "{medfee} yuan already reimbursed by hand; same invoice as there (1 yes, 0 no): {same_invoice}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第四十一条"
--
-- [[basis]]
-- source  = "nhsa-7"
-- article = "第四十一条"
--
-- [limits]
-- misses = "没有发票号且日期或总额与报销单不一致的;同一票据分次报销的"

-- One row a key, so that a placeholder invoice or person on both sides does not multiply.
WITH invoice AS (
    SELECT invono, MIN(reimb_no) AS reimb_no
    FROM manual_reimbursement
    GROUP BY invono
),

visit AS (
    SELECT psn_no, fixmedins_code, begndate, enddate, medfee_sumamt, MIN(reimb_no) AS reimb_no
    FROM manual_reimbursement
    GROUP BY psn_no, fixmedins_code, begndate, enddate, medfee_sumamt
),

same AS (
    SELECT s.setl_id, s.medfee_sumamt, m.reimb_no, 1 AS same_invoice
    FROM settlement AS s
    INNER JOIN invoice AS m
        ON s.invono = m.invono
    UNION ALL
    SELECT s.setl_id, s.medfee_sumamt, m.reimb_no, 0 AS same_invoice
    FROM settlement AS s
    INNER JOIN visit AS m
        ON s.psn_no = m.psn_no
        AND s.fixmedins_code = m.fixmedins_code
        AND s.begndate = m.begndate
        AND s.enddate = m.enddate
        AND s.medfee_sumamt = m.medfee_sumamt
)

SELECT
    setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    MIN(reimb_no)             AS related,
    'medfee=' || CAST(medfee_sumamt AS VARCHAR)
    || ' same_invoice=' || CAST(MAX(same_invoice) AS VARCHAR) AS evidence
FROM same
GROUP BY setl_id, medfee_sumamt
