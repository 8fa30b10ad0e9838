-- id             = "E11"
-- name           = "门慢特用药不符"
-- name_en        = "drug does not fit the chronic disease"
-- purpose        = "按门诊慢特病结算的药品不在该病种的用药范围内"
-- purpose_en     = "a drug settled under a chronic disease that is not among the drugs of that disease"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["pharmacy"]
-- dated_by       = "fee_ocur_time"
-- reads          = ["line", "kb_chronic"]
-- deduction      = "DL"
-- effective_from = 2021-05-01
-- message        = "病种 {disease} 的用药范围不含 {drug}"
-- message_en     = "drug {drug} is not among those of disease {disease}"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [[basis]]
-- source  = "pharmacy-list-2025"
-- article = "第16项 门慢特非病种用药"
--
-- [parameters.chronic_med_types]
-- unit    = "code"
-- meaning = "属于门诊慢特病的医疗类别,以 | 分隔"
--
-- [limits]
-- misses = "没有病种编号、病种没有用药范围的结算;同一人的第二个病种"

-- When a disease has a list of drugs at all
WITH disease AS (
    SELECT DISTINCT dise_no, begndate, enddate FROM kb_chronic
),

drug AS (
    SELECT setl_id, bkkp_sn, dise_no, hilist_code, d
    FROM line
    WHERE
        '|' || $chronic_med_types || '|' LIKE '%|' || med_type || '|%'
        AND dise_no IN (SELECT dise_no FROM disease)
        AND list_type LIKE '1%'
        AND inscp_amt > 0
)

SELECT
    setl_id,
    bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'disease=' || dise_no || ' drug=' || hilist_code AS evidence
FROM drug
WHERE
    EXISTS (
        SELECT 1
        FROM disease
        WHERE
            disease.dise_no = drug.dise_no
            AND drug.d BETWEEN disease.begndate AND disease.enddate
    )
    AND NOT EXISTS (
        SELECT 1
        FROM kb_chronic
        WHERE
            kb_chronic.dise_no = drug.dise_no
            AND kb_chronic.hilist_code = drug.hilist_code
            AND drug.d BETWEEN kb_chronic.begndate AND kb_chronic.enddate
    )
