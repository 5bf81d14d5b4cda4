"""Page "Pipeline": the servers, the schema, sample data."""

from workbench.dashboards.pipeline import PipelinePage
from workbench.shell import page

page("Pipeline", PipelinePage)
