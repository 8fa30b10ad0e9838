CREATE TABLE reference_version (
	id INTEGER NOT NULL, 
	region VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	digest VARCHAR NOT NULL, 
	rows INTEGER NOT NULL, 
	loaded_on DATE NOT NULL, 
	path VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE submission (
	id INTEGER NOT NULL, 
	region VARCHAR NOT NULL, 
	clr_ym VARCHAR NOT NULL, 
	fixmedins_code VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	digest VARCHAR NOT NULL, 
	content VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	current BOOLEAN NOT NULL, 
	received_on DATE NOT NULL, 
	kept VARCHAR NOT NULL, 
	intake VARCHAR NOT NULL, 
	sub INTEGER NOT NULL, 
	facts JSON NOT NULL, 
	PRIMARY KEY (id), 
	CHECK (status IN ('ACCEPTED', 'RETURNED')), 
	UNIQUE (region, clr_ym, fixmedins_code, digest)
);
CREATE UNIQUE INDEX one_current_submission ON submission (region, clr_ym, fixmedins_code) WHERE current;
CREATE TABLE stored_file (
	id INTEGER NOT NULL, 
	intake VARCHAR NOT NULL, 
	"table" VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	digest VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE month_run (
	id INTEGER NOT NULL, 
	region VARCHAR NOT NULL, 
	clr_ym VARCHAR NOT NULL, 
	stage VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	ran_on DATE NOT NULL, 
	files JSON NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO reference_version VALUES (1, 'langfang', 'institution', 'd1', 12, '2026-05-08', 'store/d1.parquet');
INSERT INTO submission VALUES (1, 'langfang', '202604', 'H1', 'H1_202604', 'a', 'c', 'RETURNED', 0, '2026-05-08', 'k', 'i1', 0, '{}');
INSERT INTO submission VALUES (2, 'langfang', '202604', 'H1', 'H1_202604_2', 'b', 'c', 'ACCEPTED', 1, '2026-05-09', 'k', 'i2', 0, '{"rows": 3}');
INSERT INTO stored_file VALUES (1, 'i2', 'setl_d', 'store/s.parquet', 's');
INSERT INTO month_run VALUES (1, 'langfang', '202604', 'month', 'f', '2026-05-10', '{"findings": "x"}');
