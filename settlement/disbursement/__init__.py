"""Disbursement 拨付: payment orders, the files for the bank, the bank's answer."""
