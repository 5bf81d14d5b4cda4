"""Page "Pipeline": the servers, the schema, sample data."""

from workbench.shell import page

page("Pipeline", "workbench.dashboards.pipeline:PipelinePage")
