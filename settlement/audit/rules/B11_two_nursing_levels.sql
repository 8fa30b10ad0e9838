-- id             = "B11"
-- name           = "护理等级同日并收"
-- name_en        = "two levels of nursing on one day"
-- purpose        = "同一次住院同一日收取两种以上护理等级"
-- purpose_en     = "more than one level of nursing charged on one day of a stay"
-- national_ref   = ""
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_nursing"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "{window} 已收取护理等级 {kept},又收取 {code}"
-- message_en     = "level of nursing {code} charged on {window} beside {kept}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第三项"
--
-- [limits]
-- misses = "同日变更护理等级、各按半日计费的情形也会命中,由申诉说明;同一等级的重复收取见 B05、B13"

-- Most stays have one kind of nursing a day; only the days with several are compared.
WITH mixed AS (
    SELECT psn_key, mdtrt_key, fixmedins_code, d
    FROM line
    WHERE hilist_code IN (SELECT hilist_code FROM kb_nursing)
    GROUP BY psn_key, mdtrt_key, fixmedins_code, d
    HAVING MIN(hilist_key) <> MAX(hilist_key)
),

nursing AS (
    SELECT
        line.setl_id, line.bkkp_sn, line.psn_no, line.fixmedins_code, line.mdtrt_id, line.d,
        line.hilist_code, line.pric, MIN(kb_nursing.care_rank) AS care_rank
    FROM line
    INNER JOIN kb_nursing
        ON line.hilist_code = kb_nursing.hilist_code
        AND line.d BETWEEN kb_nursing.begndate AND kb_nursing.enddate
    INNER JOIN mixed
        ON line.psn_key = mixed.psn_key
        AND line.mdtrt_key = mixed.mdtrt_key
        AND line.fixmedins_code = mixed.fixmedins_code
        AND line.d = mixed.d
    GROUP BY
        line.setl_id, line.bkkp_sn, line.psn_no, line.fixmedins_code, line.mdtrt_id, line.d,
        line.hilist_code, line.pric
),

-- The highest level stands, of equal ones the dearest
ranked AS (
    SELECT
        setl_id,
        bkkp_sn,
        d,
        hilist_code,
        FIRST_VALUE(hilist_code) OVER best AS kept_code,
        FIRST_VALUE(setl_id) OVER best     AS kept_setl_id,
        FIRST_VALUE(bkkp_sn) OVER best     AS kept_bkkp_sn
    FROM nursing
    WINDOW best AS (
        PARTITION BY psn_no, fixmedins_code, mdtrt_id, d
        ORDER BY care_rank, pric DESC, hilist_code, bkkp_sn, setl_id
    )
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(1 AS DECIMAL(18, 4))            AS part,
    CAST(1 AS DECIMAL(18, 4))            AS whole,
    kept_setl_id || '/' || kept_bkkp_sn  AS related,
    'window=' || CAST(d AS VARCHAR) || ' kept=' || kept_code || ' code=' || hilist_code AS evidence
FROM ranked
WHERE hilist_code <> kept_code
