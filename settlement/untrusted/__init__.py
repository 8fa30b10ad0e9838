"""Files that came from outside: archives, workbooks and text, looked at before anything reads them."""
