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

material AS (
    SELECT
        listed.setl_id, listed.bkkp_sn, listed.psn_no, listed.fixmedins_code, listed.mdtrt_id,
        listed.hilist_code, kb_pair_mat.item_code
    FROM listed
    INNER JOIN kb_pair_mat
        ON listed.hilist_code = kb_pair_mat.material_code
        AND listed.d BETWEEN kb_pair_mat.begndate AND kb_pair_mat.enddate
    WHERE listed.inscp_amt > 0
),

-- One line stands for all of a code's in the visit, so that lines never meet lines pair by pair
charged AS (
    SELECT psn_no, fixmedins_code, mdtrt_id, hilist_code, MIN(setl_id || '/' || bkkp_sn) AS first_line
    FROM listed
    GROUP BY psn_no, fixmedins_code, mdtrt_id, hilist_code
)

SELECT
    material.setl_id,
    material.bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    charged.first_line        AS related,
    'material=' || material.hilist_code || ' item=' || material.item_code AS evidence
FROM material
INNER JOIN charged
    ON material.psn_no = charged.psn_no
    AND material.fixmedins_code = charged.fixmedins_code
    AND material.mdtrt_id = charged.mdtrt_id
    AND material.item_code = charged.hilist_code
QUALIFY ROW_NUMBER() OVER (
    PARTITION BY material.setl_id, material.bkkp_sn ORDER BY charged.first_line
) = 1
