-- id             = "C05"
-- name           = "限医疗机构级别"
-- name_en        = "limited to a higher level of hospital"
-- purpose        = "限定医疗机构级别的药品或项目在级别不够的机构使用"
-- purpose_en     = "a drug or item used below the level of hospital it is limited to"
-- national_ref   = "GZ10000101012000"
-- category       = "policy"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "institution", "kb_level"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "限 {limit} 级及以上医疗机构,本机构当日为 {observed} 级"
-- message_en     = "limited to level {limit} and above, the institution was level {observed}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [limits]
-- misses = "当日没有级别的机构;基金不付的明细;项目限级别 GZ10000102011000 须把项目列入同一知识库表"

-- A code's own level, so that 1, 2 and 3 compare as numbers; anything else is no level and never a hit.
WITH below AS (
    SELECT
        line.setl_id,
        line.bkkp_sn,
        TRY_CAST(institution.lmtpric_hosp_lv AS INTEGER) AS held,
        TRY_CAST(kb_level.min_level AS INTEGER)          AS lowest
    FROM line
    INNER JOIN kb_level
        ON line.hilist_code = kb_level.hilist_code
        AND line.d BETWEEN kb_level.begndate AND kb_level.enddate
    INNER JOIN institution
        ON line.fixmedins_code = institution.fixmedins_code
        AND line.d BETWEEN institution.begndate AND institution.enddate
    WHERE
        TRY_CAST(institution.lmtpric_hosp_lv AS INTEGER) < TRY_CAST(kb_level.min_level AS INTEGER)
        AND line.inscp_amt > 0
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'observed=' || CAST(MAX(held) AS VARCHAR) || ' limit=' || CAST(MAX(lowest) AS VARCHAR) AS evidence
FROM below
GROUP BY setl_id, bkkp_sn
