-- id             = "A19"
-- name           = "第三方责任或外伤"
-- name_en        = "injury a third party may be liable for"
-- purpose        = "外伤诊断而没有无第三方责任承诺,费用可能应由第三方负担"
-- purpose_en     = "an injury without a pledge that no third party is liable for it"
-- national_ref   = ""
-- category       = "policy"
-- grade          = "可疑"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "diagnosis", "injury_pledge"]
-- deduction      = "D0"
-- effective_from = 2021-05-01
-- message        = "诊断 {diag} 属外伤(S00–T98),没有无第三方责任承诺"
-- message_en     = "diagnosis {diag} is an injury (S00-T98) and there is no pledge that no third party is liable"
--
-- [[basis]]
-- source  = "insurance-law"
-- article = "第三十条"
--
-- [limits]
-- misses = "诊断没有写成外伤编码的;已有承诺但不属实的;工伤由工伤类规则判断"

WITH injury AS (
    SELECT setl_id, MIN(LEFT(diag_code, 3)) AS diag
    FROM diagnosis
    WHERE
        LEFT(diag_code, 3) BETWEEN 'S00' AND 'T98'
        AND SUBSTR(diag_code, 2, 1) BETWEEN '0' AND '9'
        AND SUBSTR(diag_code, 3, 1) BETWEEN '0' AND '9'
    GROUP BY setl_id
)

SELECT
    s.setl_id,
    NULL::VARCHAR             AS bkkp_sn,
    CAST(1 AS DECIMAL(18, 4)) AS part,
    CAST(1 AS DECIMAL(18, 4)) AS whole,
    NULL::VARCHAR             AS related,
    'diag=' || i.diag         AS evidence
FROM settlement AS s
INNER JOIN injury AS i
    ON s.setl_id = i.setl_id
LEFT JOIN injury_pledge AS p
    ON s.setl_id = p.setl_id
WHERE p.setl_id IS NULL
