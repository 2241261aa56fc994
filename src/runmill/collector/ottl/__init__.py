"""The part of OTTL, the OpenTelemetry Transformation Language, in which filters are written."""
