"""Page "Changes": who changed which sale, and what was changed of days after they were over."""

from workbench.shell import page

page("Changes", "workbench.dashboards.changes_page:ChangesPage")
