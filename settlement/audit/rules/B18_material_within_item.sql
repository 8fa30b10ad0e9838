-- id             = "B18"
-- name           = "项目与耗材重复收费"
-- name_en        = "material charged beside the item that contains it"
-- purpose        = "诊疗项目的价格已含耗材,同一就诊又单独收取该耗材"
-- purpose_en     = "a material charged in the same visit as the item whose price contains it"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_pair_mat"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "耗材 {material} 已含在项目 {item} 的价格内,同一就诊又单独收取"
-- message_en     = "material {material} is contained in the price of item {item} of the same visit"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [limits]
-- misses = "同一就诊中该耗材另用于不含它的项目时也会命中,由申诉说明;项目与耗材分在两次就诊的"

WITH listed AS (
    SELECT setl_id, bkkp_sn, psn_no, fixmedins_code, mdtrt_id, d, hilist_code, inscp_amt
    FROM line
    WHERE hilist_code IN (SELECT item_code FROM kb_pair_mat UNION SELECT material_code FROM kb_pair_mat)
),

-- One line stands for all of an item's in the visit, so that lines never meet lines pair by pair
item AS (
    SELECT
        listed.psn_no, listed.fixmedins_code, listed.mdtrt_id, kb_pair_mat.item_code,
        kb_pair_mat.material_code, kb_pair_mat.begndate, kb_pair_mat.enddate,
        MIN(listed.setl_id || '/' || listed.bkkp_sn) AS item_line
    FROM listed
    INNER JOIN kb_pair_mat
        ON listed.hilist_code = kb_pair_mat.item_code
    GROUP BY
        listed.psn_no, listed.fixmedins_code, listed.mdtrt_id, kb_pair_mat.item_code,
        kb_pair_mat.material_code, kb_pair_mat.begndate, kb_pair_mat.enddate
)

SELECT
    listed.setl_id,
    listed.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    item.item_line            AS related,
    'material=' || listed.hilist_code || ' item=' || item.item_code AS evidence
FROM listed
INNER JOIN item
    ON listed.psn_no = item.psn_no
    AND listed.fixmedins_code = item.fixmedins_code
    AND listed.mdtrt_id = item.mdtrt_id
    AND listed.hilist_code = item.material_code
    AND listed.d BETWEEN item.begndate AND item.enddate
WHERE listed.inscp_amt > 0
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY listed.setl_id, listed.bkkp_sn ORDER BY item.item_line
) = 1
