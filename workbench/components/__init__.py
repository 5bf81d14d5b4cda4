"""What forms, dashboards and pages share: theme and text, where components are shown, what their browsers tell."""
