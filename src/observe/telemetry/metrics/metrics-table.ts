/** One metric. Its help and its labels are Dapr's. */
interface Metric<Kind extends 'counter' | 'gauge' | 'histogram'> {
  readonly kind: Kind
  readonly help: string
  /** The names of the labels in the order of the values, each with a space before it. */
  readonly labels: string
  /** Buckets of a histogram; `times` are those of the settings. */
  readonly buckets?: 'times' | 'sizes' | 'shares'
}

const counter = (help: string, labels = ''): Metric<'counter'> => ({kind: 'counter', help, labels})
const gauge = (help: string, labels = ''): Metric<'gauge'> => ({kind: 'gauge', help, labels})
const histogram =
  (buckets: 'times' | 'sizes' | 'shares') =>
  (help: string, labels: string): Metric<'histogram'> => ({kind: 'histogram', help, labels, buckets})
/** Milliseconds. */
const times = histogram('times')
/** Bytes. */
const sizes = histogram('sizes')
/** Parts of a limit. */
const shares = histogram('shares')

const CALL = 'app_id method path status'
const SERVED = 'app_id grpc_server_method grpc_server_status'
const SENT = 'app_id grpc_client_method grpc_client_status'
const ACTOR = 'app_id actor_type'
const COMPONENT = 'app_id component namespace'
const OPERATION = `${COMPONENT} operation success`
const PUBLISHED = `${COMPONENT} success topic`
const HANDLED = `${COMPONENT} process_status status topic`
const HANDLED_BULK = `${COMPONENT} process_status topic`
const JOB = 'app_id namespace operation'
const POLICY = 'app_id name policy namespace flow_direction target status'
const CALLER = 'app_id trustDomain namespace'

const used = (block: string): string => `The number of operations performed on the ${block} component.`
const answered = (block: string): string => `The latency of the response from the ${block} component.`
const decided = (what: string, by: string): string =>
  `The number of requests ${what} by the ${by} action specified in the access control policy.`
const ofLimit = (what: string): string =>
  `${what} payload size as a fraction of the configured gRPC max body size; values >=0.95 trip the stall, values >1 exceed the limit.`

/** Every metric of a sidecar by its exported name (Dapr: pkg/diagnostics). The text leaves out metrics without series. */
export const METRICS = {
  process_cpu_seconds_total: counter('Total user and system CPU time spent in seconds.'),
  process_start_time_seconds: gauge('Start time of the process since unix epoch in seconds.'),
  process_resident_memory_bytes: gauge('Resident memory size in bytes.'),
  process_virtual_memory_bytes: gauge('Virtual memory size in bytes.'),
  process_open_fds: gauge('Number of open file descriptors.'),
  process_max_fds: gauge('Maximum number of open file descriptors.'),

  // errorcode_monitoring.go
  dapr_error_code_total: counter(
    'Total number of times an error with a specific error code was encountered.',
    'app_id error_code category'
  ),

  // http_monitoring.go
  dapr_http_server_request_count: counter('Count of HTTP requests processed by the server.', CALL),
  dapr_http_server_response_count: counter('The number of HTTP responses', CALL),
  dapr_http_server_latency: times('HTTP request end-to-end latency in server.', CALL),
  dapr_http_server_request_bytes: sizes(
    'HTTP request body size if set as ContentLength (uncompressed) in server.',
    'app_id'
  ),
  dapr_http_server_response_bytes: sizes('HTTP response body size (uncompressed) in server.', 'app_id'),
  dapr_http_client_completed_count: counter('Count of completed requests', CALL),
  dapr_http_client_roundtrip_latency: times(
    'Time between first byte of request headers sent to last byte of response received, or terminal error',
    CALL
  ),
  dapr_http_client_sent_bytes: sizes('Total bytes sent in request body (not including headers)', CALL),
  dapr_http_client_received_bytes: sizes(
    'Total bytes received in response bodies (not including headers but including error responses with bodies)',
    'app_id'
  ),
  dapr_http_healthprobes_completed_count: counter('Count of completed health probes', 'app_id status'),
  dapr_http_healthprobes_roundtrip_latency: times(
    'Time between first byte of health probes headers sent to last byte of response received, or terminal error',
    'app_id status'
  ),

  // grpc_monitoring.go
  dapr_grpc_io_server_completed_rpcs: counter('Distribution of bytes sent per RPC, by method.', SERVED),
  dapr_grpc_io_server_server_latency: times(
    'Time between first byte of request received to last byte of response sent, or terminal error.',
    SERVED
  ),
  dapr_grpc_io_server_received_bytes_per_rpc: sizes(
    'Total bytes received across all messages per RPC.',
    'app_id grpc_server_method'
  ),
  dapr_grpc_io_server_sent_bytes_per_rpc: sizes(
    'Total bytes sent in across all response messages per RPC.',
    'app_id grpc_server_method'
  ),
  dapr_grpc_io_client_completed_rpcs: counter('Count of RPCs by method and status.', SENT),
  dapr_grpc_io_client_roundtrip_latency: times(
    'Time between first byte of request sent to last byte of response received, or terminal error.',
    SENT
  ),
  dapr_grpc_io_client_sent_bytes_per_rpc: sizes(
    'Total bytes sent across all request messages per RPC.',
    'app_id grpc_client_method'
  ),
  dapr_grpc_io_client_received_bytes_per_rpc: sizes(
    'Total bytes received across all response messages per RPC.',
    'app_id grpc_client_method'
  ),

  // service_monitoring.go
  dapr_runtime_service_invocation_req_sent_total: counter(
    'The number of requests sent via service invocation.',
    'app_id dst_app_id type'
  ),
  dapr_runtime_service_invocation_res_recv_total: counter(
    'The number of responses received via service invocation.',
    'app_id src_app_id status type'
  ),
  dapr_runtime_service_invocation_res_recv_latency_ms: times(
    'The latency of service invocation response.',
    'app_id src_app_id status'
  ),
  dapr_runtime_service_invocation_req_recv_total: counter(
    'The number of requests received via service invocation.',
    'app_id src_app_id'
  ),
  dapr_runtime_service_invocation_res_sent_total: counter(
    'The number of responses sent via service invocation.',
    'app_id dst_app_id status'
  ),
  dapr_runtime_acl_app_policy_action_allowed_total: counter(decided('allowed', 'app specific'), CALLER),
  dapr_runtime_acl_app_policy_action_blocked_total: counter(decided('blocked', 'app specific'), CALLER),
  dapr_runtime_acl_global_policy_action_allowed_total: counter(decided('allowed', 'global'), CALLER),
  dapr_runtime_acl_global_policy_action_blocked_total: counter(decided('blocked', 'global'), CALLER),
  dapr_runtime_actor_timers_fired_total: counter('The number of actor timers fired requests.', `${ACTOR} success`),
  dapr_runtime_actor_reminders_fired_total: counter(
    'The number of actor reminders fired requests.',
    `${ACTOR} success`
  ),
  dapr_runtime_actor_deactivated_total: counter('The number of successful actor deactivation.', ACTOR),
  dapr_runtime_actor_deactivated_failed_total: counter('The number of failed actor deactivation.', `${ACTOR} reason`),
  dapr_runtime_actor_pending_actor_calls: gauge(
    'The number of pending actor calls waiting to acquire the per-actor lock.',
    ACTOR
  ),
  dapr_runtime_actor_timers: gauge('The number of actor timer requests.', ACTOR),
  dapr_runtime_actor_reminders: gauge('The number of actor reminder requests.', ACTOR),

  // resiliency_monitoring.go
  dapr_resiliency_count: counter(
    'Number of times a resiliency policyKey has been applied to a building block.',
    POLICY
  ),
  dapr_resiliency_activations_total: counter(
    'Number of times a resiliency policyKey has been activated in a building block after a failure or after a state change.',
    POLICY
  ),
  dapr_resiliency_cb_state: gauge(
    "A resiliency policy's current CircuitBreakerState state. 0 is closed, 1 is half-open, 2 is open, and -1 is unknown.",
    POLICY
  ),
  dapr_resiliency_loaded: counter('Number of resiliency policies loaded.', 'app_id name namespace'),

  // component_monitoring.go
  dapr_component_state_count: counter(used('state'), OPERATION),
  dapr_component_state_latencies: times(answered('state'), OPERATION),
  dapr_component_secret_count: counter(used('secret'), OPERATION),
  dapr_component_secret_latencies: times(answered('secret'), OPERATION),
  dapr_component_configuration_count: counter(used('configuration'), OPERATION),
  dapr_component_configuration_latencies: times(answered('configuration'), OPERATION),
  dapr_component_crypto_count: counter(used('crypto'), OPERATION),
  dapr_component_crypto_latencies: times(answered('crypto'), OPERATION),
  dapr_component_conversation_count: counter(used('conversation'), `${COMPONENT} success`),
  dapr_component_conversation_latencies: times(answered('conversation'), `${COMPONENT} success`),
  dapr_component_output_binding_count: counter(
    'The number of operations invoked on the output binding component.',
    OPERATION
  ),
  dapr_component_output_binding_latencies: times(answered('output binding'), OPERATION),
  dapr_component_input_binding_count: counter(
    'The number of incoming events arriving from the input binding component.',
    `${COMPONENT} success`
  ),
  dapr_component_input_binding_latencies: times('The triggered app event processing latency.', `${COMPONENT} success`),
  dapr_component_pubsub_egress_count: counter(
    'The number of outgoing messages published to the pub/sub component.',
    PUBLISHED
  ),
  dapr_component_pubsub_egress_latencies: times(answered('pub/sub'), PUBLISHED),
  dapr_component_pubsub_egress_bulk_count: counter(
    'The number of bulk publish calls to the pub/sub component.',
    PUBLISHED
  ),
  dapr_component_pubsub_egress_bulk_latencies: times(
    'The latency of the response for the bulk publish call from the pub/sub component.',
    PUBLISHED
  ),
  dapr_component_pubsub_egress_bulk_event_count: counter(
    'The number of outgoing messages to the pub/sub component published through bulk publish API.',
    PUBLISHED
  ),
  dapr_component_pubsub_ingress_count: counter(
    'The number of incoming messages arriving from the pub/sub component.',
    HANDLED
  ),
  dapr_component_pubsub_ingress_latencies: times('The consuming app event processing latency.', HANDLED),
  dapr_component_pubsub_ingress_bulk_count: counter(
    'The number of incoming bulk subscribe calls arriving from the bulk pub/sub component.',
    HANDLED_BULK
  ),
  dapr_component_pubsub_ingress_bulk_latencies: times(
    'The consuming app event processing latency for the bulk pub/sub component.',
    HANDLED_BULK
  ),
  dapr_component_pubsub_ingress_bulk_event_count: counter(
    'Total number of incoming messages arriving from the bulk pub/sub component via Bulk Subscribe.',
    HANDLED_BULK
  ),
  dapr_component_job_success_count: counter('The number of successful job triggers.', JOB),
  dapr_component_job_failure_count: counter('The number of failed job triggers.', JOB),
  dapr_component_job_latencies: times(
    'The latency of the response from the app that processed the triggered job.',
    `${JOB} success`
  ),

  // workflow_monitoring.go
  dapr_runtime_workflow_operation_count: counter(
    'The number of successful/failed workflow operation requests.',
    'app_id namespace operation status'
  ),
  dapr_runtime_workflow_operation_latency: times(
    'The latencies of responses for workflow operation requests.',
    'app_id namespace operation status'
  ),
  dapr_runtime_workflow_execution_count: counter(
    'The number of successful/failed/recoverable workflow executions.',
    'app_id namespace status workflow_name'
  ),
  dapr_runtime_workflow_execution_latency: times(
    'The total time taken to run workflow to completion.',
    'app_id namespace status workflow_name'
  ),
  dapr_runtime_workflow_scheduling_latency: times(
    'Interval between workflow execution request and workflow execution.',
    'app_id namespace workflow_name'
  ),
  dapr_runtime_workflow_activity_operation_count: counter(
    'The number of successful/failed activity operation requests.',
    'activity_name app_id namespace status'
  ),
  dapr_runtime_workflow_activity_execution_count: counter(
    'The number of successful/failed/recoverable activity executions.',
    'activity_name app_id namespace status'
  ),
  dapr_runtime_workflow_activity_execution_latency: times(
    'The total time taken to run an activity to completion.',
    'activity_name app_id namespace status'
  ),
  dapr_runtime_workflow_payload_size_ratio: shares(ofLimit('Workflow'), 'app_id namespace workflow_name'),
  dapr_runtime_workflow_activity_payload_size_ratio: shares(
    ofLimit('Activity'),
    'activity_name app_id namespace workflow_name'
  )
} as const

type Name = keyof typeof METRICS

export type MetricName<Kind extends string> = {
  [Each in Name]: (typeof METRICS)[Each]['kind'] extends Kind ? Each : never
}[Name]
