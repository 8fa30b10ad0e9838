-- id             = "B16"
-- name           = "加收无主项"
-- name_en        = "surcharge without its main item"
-- purpose        = "收取了加收项目,而同日没有它所加收的主项"
-- purpose_en     = "a surcharge on a day that has none of its main items"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_addon"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "{window} 收取加收项目 {surcharge},同日没有主项(如 {needed})"
-- message_en     = "surcharge {surcharge} on {window} without a main item such as {needed}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [limits]
-- misses = "主项与加收项目记在相邻两日的(如跨零点手术)会误列,由申诉说明;加收次数多于主项次数的"

WITH listed AS (
    SELECT setl_id, bkkp_sn, psn_no, fixmedins_code, d, hilist_code, inscp_amt
    FROM line
    WHERE hilist_code IN (SELECT addon_code FROM kb_addon UNION SELECT main_code FROM kb_addon)
),

-- DISTINCT also keeps the planner from joining all lines of a day with each other
served AS (
    SELECT DISTINCT listed.psn_no, listed.fixmedins_code, listed.d, kb_addon.addon_code
    FROM listed
    INNER JOIN kb_addon
        ON listed.hilist_code = kb_addon.main_code
        AND listed.d BETWEEN kb_addon.begndate AND kb_addon.enddate
),

alone AS (
    SELECT listed.setl_id, listed.bkkp_sn, listed.hilist_code, listed.d
    FROM listed
    LEFT JOIN served
        ON listed.psn_no = served.psn_no
        AND listed.fixmedins_code = served.fixmedins_code
        AND listed.d = served.d
        AND listed.hilist_code = served.addon_code
    WHERE
        listed.inscp_amt > 0
        AND served.addon_code IS NULL
)

SELECT
    alone.setl_id,
    alone.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'window=' || CAST(alone.d AS VARCHAR) || ' surcharge=' || alone.hilist_code
    || ' needed=' || MIN(kb_addon.main_code) AS evidence
FROM alone
INNER JOIN kb_addon
    ON alone.hilist_code = kb_addon.addon_code
    AND alone.d BETWEEN kb_addon.begndate AND kb_addon.enddate
GROUP BY alone.setl_id, alone.bkkp_sn, alone.hilist_code, alone.d
