"""Knowledge tables a region keeps itself, in the shape of the published ones: `kb_*.csv` with a source.

The national lists are `schemas.knowledge`. These stand for the lists that are published as text or not yet,
or that a province localises: what contains what, what needs what, what is limited to whom.
"""

from __future__ import annotations

from schemas.listing import ITEM, ITEM_NAME, SOURCE, listing, money, quantity, text, whole

_PREFIX = text("诊断编码前缀", "diagnosis prefix", 20)

KB_GENERIC = listing(
    "kb_generic", "知识库 同通用名", "same generic",
    key=("hilist_code",), hilist_code=ITEM, hilist_name=ITEM_NAME,
    generic_id=text("通用名组", "generic id"), source=SOURCE,
)  # fmt: skip
KB_BUNDLE = listing(
    "kb_bundle", "知识库 打包项目", "bundles and their parts",
    key=("bundle_code", "part_code"), bundle_code=text("打包项目编码", "bundle code"),
    bundle_name=text("打包项目名称", "bundle", 200, required=False),
    part_code=text("组成项目编码", "part code"), source=SOURCE,
)  # fmt: skip
KB_REQ = listing(
    "kb_req", "知识库 耗材须有项目", "materials and the items they need",
    key=("material_code", "item_code"), material_code=text("耗材编码", "material code"),
    item_code=text("项目编码", "item code"), source=SOURCE,
)  # fmt: skip
KB_ADDON = listing(
    "kb_addon", "知识库 加收与主项", "surcharges and their main items",
    key=("addon_code", "main_code"), addon_code=text("加收项目编码", "surcharge code"),
    main_code=text("主项编码", "main item code"), source=SOURCE,
)  # fmt: skip
KB_MAX = listing(
    "kb_max", "知识库 耗材单次手术用量", "material per operation",
    key=("hilist_code",), hilist_code=ITEM, hilist_name=ITEM_NAME,
    max_cnt=quantity("每次手术上限", "quantity per operation"), source=SOURCE,
)  # fmt: skip
KB_PAIR_MAT = listing(
    "kb_pair_mat", "知识库 项目已含耗材", "items that contain a material",
    key=("item_code", "material_code"), item_code=text("项目编码", "item code"),
    material_code=text("耗材编码", "material code"), source=SOURCE,
)  # fmt: skip
KB_MUTEX = listing(
    "kb_mutex", "知识库 互斥项目", "items that exclude each other",
    key=("code_a", "code_b"), code_a=text("项目编码甲", "item a"), code_b=text("项目编码乙", "item b"),
    national=text("国家清单", "nationally listed", 3, codes="yes_no"), source=SOURCE,
)  # fmt: skip
KB_NURSING = listing(
    "kb_nursing", "知识库 护理等级", "levels of nursing",
    key=("hilist_code",), hilist_code=ITEM, hilist_name=ITEM_NAME,
    care_rank=whole("等级序(1 最高)", "rank, 1 is the highest"), source=SOURCE,
)  # fmt: skip
KB_LINE = listing(
    "kb_line", "知识库 限二线用药", "second-line drugs",
    key=("hilist_code", "first_line_code"), hilist_code=ITEM,
    first_line_code=text("一线药品编码", "first-line code"), source=SOURCE,
)  # fmt: skip
KB_IND = listing(
    "kb_ind", "知识库 限适应症", "limited to diagnoses",
    key=("hilist_code", "diag_prefix"), hilist_code=ITEM, diag_prefix=_PREFIX, source=SOURCE,
)  # fmt: skip
KB_TCM = listing(
    "kb_tcm", "知识库 饮片支付限制", "herbs not payable",
    key=("hilist_code",), hilist_code=ITEM, hilist_name=ITEM_NAME,
    kind=text("限制", "limit", 10, codes="kb_tcm_kind"), source=SOURCE,
)  # fmt: skip
KB_NET = listing(
    "kb_net", "知识库 互联网医院药品", "payable in internet visits",
    key=("hilist_code",), hilist_code=ITEM, hilist_name=ITEM_NAME, source=SOURCE,
)  # fmt: skip
KB_NET_DIAG = listing(
    "kb_net_diag", "知识库 互联网复诊病种", "diagnoses of internet visits",
    key=("diag_prefix",), diag_prefix=_PREFIX, source=SOURCE,
)  # fmt: skip
KB_DEPT = listing(
    "kb_dept", "知识库 限科室", "limited to departments",
    key=("hilist_code", "bilg_dept_codg"), hilist_code=ITEM,
    bilg_dept_codg=text("科室编码", "department", 30), source=SOURCE,
)  # fmt: skip
KB_CAP = listing(
    "kb_cap", "知识库 年度报销总额", "yearly caps",
    key=("cap_group", "hilist_code"), cap_group=text("限额组", "cap group"), hilist_code=ITEM,
    cap_amt=money("每人每年上限", "cap per person and year"), source=SOURCE,
)  # fmt: skip
KB_DIAG = listing(
    "kb_diag", "知识库 诊断与性别年龄", "diagnoses of one sex or age",
    key=("diag_prefix",), diag_prefix=_PREFIX,
    gend=text("限定性别", "sex", 6, codes="gend", required=False),
    min_age=whole("最小周岁", "age at least", required=False),
    max_age=whole("最大周岁", "age at most", required=False), source=SOURCE,
)  # fmt: skip
KB_OPRN = listing(
    "kb_oprn", "知识库 手术与性别", "operations of one sex",
    key=("oprn_prefix",), oprn_prefix=text("手术编码前缀", "operation prefix", 20),
    gend=text("限定性别", "sex", 6, codes="gend"), source=SOURCE,
)  # fmt: skip
KB_LOWDIAG = listing(
    "kb_lowdiag", "知识库 低标入院诊断", "diagnoses that need no stay",
    key=("diag_prefix",), diag_prefix=_PREFIX, source=SOURCE,
)  # fmt: skip
KB_NOGROUP = listing(
    "kb_nogroup", "知识库 不入组诊断", "main diagnoses that do not group",
    key=("diag_prefix",), diag_prefix=_PREFIX, source=SOURCE,
)  # fmt: skip
KB_RX = listing(
    "kb_rx", "知识库 凭处方药品", "drugs that need a prescription",
    key=("hilist_code",), hilist_code=ITEM, hilist_name=ITEM_NAME,
    dual_channel=text("双通道", "dual channel", 3, codes="yes_no"), source=SOURCE,
)  # fmt: skip
KB_NOTRACE = listing(
    "kb_notrace", "知识库 无追溯码药品", "drugs without trace codes",
    key=("hilist_code",), hilist_code=ITEM, hilist_name=ITEM_NAME, source=SOURCE,
)  # fmt: skip
KB_FORBIDDEN = listing(
    "kb_forbidden", "知识库 药店不可支付品", "not payable in pharmacies",
    key=("hilist_code",), hilist_code=ITEM, hilist_name=ITEM_NAME, source=SOURCE,
)  # fmt: skip
KB_CHRONIC = listing(
    "kb_chronic", "知识库 门慢特用药", "drugs of chronic diseases",
    key=("dise_no", "hilist_code"), dise_no=text("病种编号", "disease code", 30), hilist_code=ITEM,
    source=SOURCE,
)  # fmt: skip

OWN_LISTS = (
    KB_GENERIC, KB_BUNDLE, KB_REQ, KB_ADDON, KB_MAX, KB_PAIR_MAT, KB_MUTEX, KB_NURSING, KB_LINE, KB_IND,
    KB_TCM, KB_NET, KB_NET_DIAG, KB_DEPT, KB_CAP, KB_DIAG, KB_OPRN, KB_LOWDIAG, KB_NOGROUP, KB_RX,
    KB_NOTRACE, KB_FORBIDDEN, KB_CHRONIC,
)  # fmt: skip
