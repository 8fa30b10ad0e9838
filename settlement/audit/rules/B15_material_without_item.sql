-- id             = "B15"
-- name           = "耗材无对应项目"
-- name_en        = "material without the item it belongs to"
-- purpose        = "收取了耗材,而同一就诊没有使用该耗材的诊疗项目"
-- purpose_en     = "a material charged in a visit that has none of the items it is used with"
-- national_ref   = "GZ10000303001000"
-- category       = "medical"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_req"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "耗材 {material} 须与诊疗项目(如 {needed})同用,本次就诊没有"
-- message_en     = "material {material} goes with an item such as {needed}; the visit has none"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第四项"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第四十条第三项"
--
-- [limits]
-- misses = "对应项目在另一次就诊或另一清算月收取的会误列,由申诉说明;知识库未列的耗材"

WITH listed AS (
    SELECT setl_id, bkkp_sn, psn_no, mdtrt_id, d, hilist_code, inscp_amt
    FROM line
    WHERE hilist_code IN (SELECT material_code FROM kb_req UNION SELECT item_code FROM kb_req)
),

-- DISTINCT also keeps the planner from joining all lines of a visit with each other
served AS (
    SELECT DISTINCT
        listed.psn_no, listed.mdtrt_id, kb_req.material_code, kb_req.begndate, kb_req.enddate
    FROM listed
    INNER JOIN kb_req
        ON listed.hilist_code = kb_req.item_code
),

alone AS (
    SELECT listed.setl_id, listed.bkkp_sn, listed.hilist_code, listed.d
    FROM listed
    LEFT JOIN served
        ON listed.psn_no = served.psn_no
        AND listed.mdtrt_id = served.mdtrt_id
        AND listed.hilist_code = served.material_code
        AND listed.d BETWEEN served.begndate AND served.enddate
    WHERE
        listed.inscp_amt > 0
        AND served.material_code IS NULL
)

SELECT
    alone.setl_id,
    alone.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'material=' || alone.hilist_code || ' needed=' || MIN(kb_req.item_code) AS evidence
FROM alone
INNER JOIN kb_req
    ON alone.hilist_code = kb_req.material_code
    AND alone.d BETWEEN kb_req.begndate AND kb_req.enddate
GROUP BY alone.setl_id, alone.bkkp_sn, alone.hilist_code
