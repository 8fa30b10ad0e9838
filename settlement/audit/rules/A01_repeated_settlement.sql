-- id             = "A01"
-- name           = "重复结算"
-- name_en        = "settled twice"
-- purpose        = "同一人、同一机构、同一就诊的同一张单据结算了不止一次"
-- purpose_en     = "the same bill settled more than once"
-- national_ref   = "GZ10000201002000"
-- category       = "management"
-- grade          = "违规"
-- status         = "active"
-- scope          = ["hospital", "outpatient", "pharmacy"]
-- dated_by       = "setl_time"
-- reads          = ["settlement", "line"]
-- deduction      = "DG"
-- effective_from = 2021-05-01
-- message        = "与先结算的一笔完全相同:同一人、同一机构、同一就诊日期,总额 {medfee} 元,{lines} 种明细逐条一致,共结算 {copies} 次"
-- message_en     = "same as an earlier settlement: person, institution, dates, {medfee} yuan and all {lines} kinds of line; settled {copies} times"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第三十八条第六项"
--
-- [[basis]]
-- source  = "law-735"
-- article = "第四十一条"
--
-- [limits]
-- misses = "只比较本清算月的结算;明细改动一处(如数量拆开、日期错开)即不命中"

WITH same_header AS (
    SELECT psn_no, fixmedins_code, med_type, begndate, enddate, medfee_sumamt
    FROM settlement
    GROUP BY psn_no, fixmedins_code, med_type, begndate, enddate, medfee_sumamt
    HAVING count(*) > 1
),

candidate AS (
    SELECT
        s.setl_id, s.setl_time, s.psn_no, s.fixmedins_code, s.med_type, s.begndate, s.enddate,
        s.medfee_sumamt
    FROM settlement AS s
    INNER JOIN same_header AS h
        ON s.psn_no = h.psn_no
        AND s.medfee_sumamt = h.medfee_sumamt
        AND s.begndate = h.begndate
        AND s.enddate = h.enddate
        AND s.fixmedins_code = h.fixmedins_code
        AND s.med_type = h.med_type
),

kind AS (
    SELECT
        l.setl_id,
        count(*) || '*' || l.cnt || '*' || l.pric || '*' || l.d || '*' || l.hilist_code AS content
    FROM line AS l
    INNER JOIN candidate AS c ON l.setl_id = c.setl_id
    GROUP BY l.setl_id, l.hilist_code, l.cnt, l.pric, l.d
),

-- One text per settlement holds its whole multiset of lines, so that a group of many settlements
-- is compared by grouping and never pair by pair.
bill AS (
    SELECT setl_id, count(*) AS line_kinds, string_agg(content, ';' ORDER BY content) AS content
    FROM kind
    GROUP BY setl_id
),

placed AS (
    SELECT
        c.setl_id,
        c.medfee_sumamt,
        coalesce(b.line_kinds, 0) AS line_kinds,
        count(*) OVER (
            PARTITION BY c.psn_no, c.fixmedins_code, c.med_type, c.begndate, c.enddate,
                c.medfee_sumamt, b.content
        ) AS copies,
        first_value(c.setl_id) OVER (
            PARTITION BY c.psn_no, c.fixmedins_code, c.med_type, c.begndate, c.enddate,
                c.medfee_sumamt, b.content
            ORDER BY c.setl_time, c.setl_id
        ) AS kept
    FROM candidate AS c
    LEFT JOIN bill AS b ON c.setl_id = b.setl_id
)

SELECT
    setl_id,
    NULL::VARCHAR AS bkkp_sn,
    1::DECIMAL(18,4) AS part,
    1::DECIMAL(18,4) AS whole,
    kept AS related,
    'medfee=' || medfee_sumamt || ' lines=' || line_kinds || ' copies=' || copies AS evidence
FROM placed
WHERE setl_id <> kept
