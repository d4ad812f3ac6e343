"""The staff's web door.

A new topic, in ten lines:

1. `service/<topic>.py` answers the questions of its pages: one query a list, none a row; `service/paging.py` pages.
2. `Right` in `service/staff.py` gets a row, and `RIGHTS` says which roles have it.
3. `console/<topic>.py` has one function a page (`def cases(visit: Visit) -> Response`), and `DOORS` names them:
   `page(path, function, right, shows="case")` reads, `deed(path, function, right, act="close", object="case")` changes.
4. `shows` and `act` write the audit log; what a person may read about a person has `shows`. `{id:int}` is the object.
5. `console/templates/<topic>/<page>.html` extends `layout.html` and takes its parts from `macros.html`.
6. `console/texts/<topic>.yml` has every word, zh and en: `t("<topic>.title")`; `utter_…` keys come from domain.yml.
7. `console/topics.py` gets one row: doors, path, title and right; it is in the menu then.
8. Names of acts and objects go to `console/texts/audit.yml`; another community's row is a 404: ask `service/` with
   `visit.community.id`, and raise `Trouble(Kind.NOT_FOUND)` for None.
9. `ui.live(name)` around a part renews it when something happens; `ui.version(n)` and `visit.check_version(n)` tell the
   second of two editors; `visit.back(path, told="<topic>.kept")` ends a deed with a word of what was done.
10. `tests/console/test_<topic>.py` opens pages with `browser` and `signed_in`; tests/console/test_doors.py walks all.
"""
