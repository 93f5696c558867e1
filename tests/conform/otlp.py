# SPDX-License-Identifier: Apache-2.0
"""A collector of OpenTelemetry's, for tests: Debian's gRPC and protobuf, and a schema of its own.

SCHEMA has the messages of opentelemetry-proto 1.x that an exporter may send, by their full names, with
all their fields: what it does not have is not of the standard, and a message that holds such a field is
refused.
"""
import concurrent.futures
import gzip
import http.server
import ssl
import threading
import time

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from sandbox import PATIENCE_S

ROOT = "opentelemetry.proto"
SCHEMA = {
    "common.v1.AnyValue": "string_value=1:string bool_value=2:bool int_value=3:int64 double_value=4:double "
                          "array_value=5:common.v1.ArrayValue kvlist_value=6:common.v1.KeyValueList "
                          "bytes_value=7:bytes",
    "common.v1.ArrayValue": "values=1:*common.v1.AnyValue",
    "common.v1.KeyValueList": "values=1:*common.v1.KeyValue",
    "common.v1.KeyValue": "key=1:string value=2:common.v1.AnyValue",
    "common.v1.InstrumentationScope": "name=1:string version=2:string "
                                      "attributes=3:*common.v1.KeyValue "
                                      "dropped_attributes_count=4:uint32",
    "resource.v1.Resource": "attributes=1:*common.v1.KeyValue dropped_attributes_count=2:uint32",
    "metrics.v1.ResourceMetrics": "resource=1:resource.v1.Resource "
                                  "scope_metrics=2:*metrics.v1.ScopeMetrics schema_url=3:string",
    "metrics.v1.ScopeMetrics": "scope=1:common.v1.InstrumentationScope metrics=2:*metrics.v1.Metric "
                               "schema_url=3:string",
    "metrics.v1.Metric": "name=1:string description=2:string unit=3:string gauge=5:metrics.v1.Gauge "
                         "sum=7:metrics.v1.Sum histogram=9:metrics.v1.Histogram",
    "metrics.v1.Gauge": "data_points=1:*metrics.v1.NumberDataPoint",
    "metrics.v1.Sum": "data_points=1:*metrics.v1.NumberDataPoint aggregation_temporality=2:int32 "
                      "is_monotonic=3:bool",
    "metrics.v1.Histogram": "data_points=1:*metrics.v1.HistogramDataPoint "
                            "aggregation_temporality=2:int32",
    "metrics.v1.NumberDataPoint": "start_time_unix_nano=2:fixed64 time_unix_nano=3:fixed64 "
                                  "as_double=4:double as_int=6:sfixed64 "
                                  "attributes=7:*common.v1.KeyValue flags=8:uint32",
    "metrics.v1.HistogramDataPoint": "start_time_unix_nano=2:fixed64 time_unix_nano=3:fixed64 "
                                     "count=4:fixed64 sum=5:double bucket_counts=6:*fixed64 "
                                     "explicit_bounds=7:*double attributes=9:*common.v1.KeyValue "
                                     "flags=10:uint32 min=11:double max=12:double",
    "trace.v1.ResourceSpans": "resource=1:resource.v1.Resource scope_spans=2:*trace.v1.ScopeSpans "
                              "schema_url=3:string",
    "trace.v1.ScopeSpans": "scope=1:common.v1.InstrumentationScope spans=2:*trace.v1.Span "
                           "schema_url=3:string",
    "trace.v1.Span": "trace_id=1:bytes span_id=2:bytes trace_state=3:string parent_span_id=4:bytes "
                     "name=5:string kind=6:int32 start_time_unix_nano=7:fixed64 "
                     "end_time_unix_nano=8:fixed64 attributes=9:*common.v1.KeyValue "
                     "status=15:trace.v1.Status flags=16:fixed32",
    "trace.v1.Status": "message=2:string code=3:int32",
    "collector.metrics.v1.ExportMetricsServiceRequest":
        "resource_metrics=1:*metrics.v1.ResourceMetrics",
    "collector.metrics.v1.ExportMetricsServiceResponse":
        "partial_success=1:collector.metrics.v1.ExportMetricsPartialSuccess",
    "collector.metrics.v1.ExportMetricsPartialSuccess":
        "rejected_data_points=1:int64 error_message=2:string",
    "collector.trace.v1.ExportTraceServiceRequest": "resource_spans=1:*trace.v1.ResourceSpans",
    "collector.trace.v1.ExportTraceServiceResponse":
        "partial_success=1:collector.trace.v1.ExportTracePartialSuccess",
    "collector.trace.v1.ExportTracePartialSuccess": "rejected_spans=1:int64 error_message=2:string",
}
METRICS = f"{ROOT}.collector.metrics.v1.MetricsService"
TRACES = f"{ROOT}.collector.trace.v1.TraceService"
DELTA, CUMULATIVE = 1, 2


def add_field(message, text, of_package):
    """Adds "name=number:type", where a * in front of the type means that it is repeated."""
    kinds = descriptor_pb2.FieldDescriptorProto
    name, _, rest = text.partition("=")
    number, _, kind = rest.partition(":")
    field = message.field.add(name=name, number=int(number))
    field.label = kinds.LABEL_REPEATED if kind.startswith("*") else kinds.LABEL_OPTIONAL
    kind = kind.lstrip("*")
    if "." in kind:
        field.type, field.type_name = kinds.TYPE_MESSAGE, f".{of_package}.{kind.replace('.', '_')}"
    else:
        field.type = getattr(kinds, f"TYPE_{kind.upper()}")


def make_messages():
    """A class for each message. On the wire their names do not exist, so one package does."""
    file = descriptor_pb2.FileDescriptorProto(name="otlp.proto", package="otlp", syntax="proto3")
    for name, fields in SCHEMA.items():
        message = file.message_type.add(name=name.replace(".", "_"))
        for field in fields.split():
            add_field(message, field, file.package)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName(f"otlp.{name.replace('.', '_')}"))
            for name in SCHEMA}


MESSAGES = make_messages()


def service(signal, name):
    short = "Metrics" if signal == "metrics" else "Trace"
    package = "metrics" if signal == "metrics" else "trace"
    return MESSAGES[f"collector.{package}.v1.Export{short}{name}"]


def read(signal, raw):
    """A request, which holds nothing but what SCHEMA has."""
    request = service(signal, "ServiceRequest").FromString(raw)
    length = request.ByteSize()
    request.DiscardUnknownFields()
    if request.ByteSize() != length:
        raise ValueError(f"a request of {signal} has fields that are not of the standard")
    return request


def attributes(pairs):
    """As a dictionary. Proto3 without oneof drops zeros: an empty value is None."""
    result = {}
    for pair in pairs:
        assert pair.key not in result, f"{pair.key} is there twice"
        fields = pair.value.ListFields()
        result[pair.key] = fields[0][1] if fields else None
    return result


class Collector:
    """What it has taken is in `metrics` and `traces`, as messages; `headers` are the last request's.

    `act` is called with the signal before a request is taken; it may sleep, or return a grpc status and
    text to refuse it with.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.metrics, self.traces = [], []
        self.headers, self.path, self.count = {}, None, 0
        self.act = lambda signal: None
        self.partial = None  # (count, text) of what is thrown away

    def take(self, signal, raw):
        request = read(signal, raw)
        with self.lock:
            (self.metrics if signal == "metrics" else self.traces).append(request)
        response = service(signal, "ServiceResponse")()
        if self.partial:
            field = "rejected_data_points" if signal == "metrics" else "rejected_spans"
            setattr(response.partial_success, field, self.partial[0])
            response.partial_success.error_message = self.partial[1]
        return response.SerializeToString()

    # --- what it has been told

    def resources(self):
        with self.lock:
            return [attributes(part.resource.attributes) for request in self.metrics
                    for part in request.resource_metrics] + \
                [attributes(part.resource.attributes) for request in self.traces
                 for part in request.resource_spans]

    def found(self, name):
        """All messages of a metric, with the names of their scopes."""
        with self.lock:
            return [(scope.scope.name, metric) for request in self.metrics
                    for part in request.resource_metrics for scope in part.scope_metrics
                    for metric in scope.metrics if metric.name == name]

    def total(self, name, **labels):
        """The sum of all deltas of a counter, or of a histogram's counts, with those labels."""
        total = 0
        for _, metric in self.found(name):
            data = metric.histogram if metric.HasField("histogram") else metric.sum
            assert data.aggregation_temporality == DELTA
            for point in data.data_points:
                if labels.items() <= attributes(point.attributes).items():
                    total += point.count if metric.HasField("histogram") else point.as_int
        return total

    def last(self, name):
        """The newest value of what goes up and down."""
        return self.found(name)[-1][1].sum.data_points[0].as_int

    def spans(self):
        with self.lock:
            return [span for request in self.traces for part in request.resource_spans
                    for scope in part.scope_spans for span in scope.spans]


class GrpcCollector(Collector):
    def __init__(self, port=0, key=None, certificate=None, signals=("metrics", "traces")):
        super().__init__()
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        for signal in signals:
            method = grpc.unary_unary_rpc_method_handler(
                lambda raw, context, signal=signal: self.serve(signal, raw, context))
            self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
                METRICS if signal == "metrics" else TRACES, {"Export": method}),))
        address = f"127.0.0.1:{port}"
        if key:
            self.port = self.server.add_secure_port(
                address, grpc.ssl_server_credentials([(key, certificate)]))
        else:
            self.port = self.server.add_insecure_port(address)
        self.server.start()

    def serve(self, signal, raw, context):
        with self.lock:
            self.count += 1
            self.headers = dict(context.invocation_metadata())
        refusal = self.act(signal)
        if refusal:
            context.abort(*refusal)
        return self.take(signal, raw)

    def close(self):
        self.server.stop(0).wait()


class HttpCollector(Collector):
    def __init__(self, port=0, files=None):
        super().__init__()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.count += 1
                    outer.headers, outer.path = dict(self.headers), self.path
                if self.headers["Content-Encoding"] == "gzip":
                    raw = gzip.decompress(raw)
                signal = "traces" if "traces" in self.path else "metrics"
                refusal = outer.act(signal)
                body = b"" if refusal else outer.take(signal, raw)
                self.send_response(refusal[0] if refusal else 200)
                for name, value in (refusal[1] if refusal else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if files:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files[1], files[0])
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"did not come: {what}")
        time.sleep(0.02)
