/** The metrics of a Dapr sidecar as a table: name, kind and labels (Dapr: pkg/diagnostics). Prometheus needs no help texts. */

interface Metric<Kind extends 'counter' | 'gauge' | 'histogram'> {
  readonly kind: Kind
  /** Label names in the order of the values, separated by spaces. */
  readonly labels: string
  /** Buckets of a histogram; `times` are those of the settings. */
  readonly buckets?: 'times' | 'sizes' | 'shares'
}

const counter = (labels = ''): Metric<'counter'> => ({kind: 'counter', labels})
const gauge = (labels = ''): Metric<'gauge'> => ({kind: 'gauge', labels})
const histogram =
  (buckets: 'times' | 'sizes' | 'shares') =>
  (labels: string): Metric<'histogram'> => ({kind: 'histogram', labels, buckets})
/** Creates a histogram of times in ms. */
const times = histogram('times')
/** Creates a histogram of sizes in bytes. */
const sizes = histogram('sizes')
/** Creates a histogram of sizes as shares of a limit. */
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

/** Every metric of a sidecar by its exported name. The text leaves out metrics without series. */
export const METRICS = {
  process_cpu_seconds_total: counter(),
  process_start_time_seconds: gauge(),
  process_resident_memory_bytes: gauge(),
  process_virtual_memory_bytes: gauge(),
  process_open_fds: gauge(),
  process_max_fds: gauge(),

  // errorcode_monitoring.go
  dapr_error_code_total: counter('app_id error_code category'),

  // http_monitoring.go
  dapr_http_server_request_count: counter(CALL),
  dapr_http_server_response_count: counter(CALL),
  dapr_http_server_latency: times(CALL),
  dapr_http_server_request_bytes: sizes('app_id'),
  dapr_http_server_response_bytes: sizes('app_id'),
  dapr_http_client_completed_count: counter(CALL),
  dapr_http_client_roundtrip_latency: times(CALL),
  dapr_http_client_sent_bytes: sizes(CALL),
  dapr_http_client_received_bytes: sizes('app_id'),
  dapr_http_healthprobes_completed_count: counter('app_id status'),
  dapr_http_healthprobes_roundtrip_latency: times('app_id status'),

  // grpc_monitoring.go
  dapr_grpc_io_server_completed_rpcs: counter(SERVED),
  dapr_grpc_io_server_server_latency: times(SERVED),
  dapr_grpc_io_server_received_bytes_per_rpc: sizes('app_id grpc_server_method'),
  dapr_grpc_io_server_sent_bytes_per_rpc: sizes('app_id grpc_server_method'),
  dapr_grpc_io_client_completed_rpcs: counter(SENT),
  dapr_grpc_io_client_roundtrip_latency: times(SENT),
  dapr_grpc_io_client_sent_bytes_per_rpc: sizes('app_id grpc_client_method'),
  dapr_grpc_io_client_received_bytes_per_rpc: sizes('app_id grpc_client_method'),

  // service_monitoring.go
  dapr_runtime_service_invocation_req_sent_total: counter('app_id dst_app_id type'),
  dapr_runtime_service_invocation_res_recv_total: counter('app_id src_app_id status type'),
  dapr_runtime_service_invocation_res_recv_latency_ms: times('app_id src_app_id status'),
  dapr_runtime_service_invocation_req_recv_total: counter('app_id src_app_id'),
  dapr_runtime_service_invocation_res_sent_total: counter('app_id dst_app_id status'),
  dapr_runtime_acl_app_policy_action_allowed_total: counter(CALLER),
  dapr_runtime_acl_app_policy_action_blocked_total: counter(CALLER),
  dapr_runtime_acl_global_policy_action_allowed_total: counter(CALLER),
  dapr_runtime_acl_global_policy_action_blocked_total: counter(CALLER),
  dapr_runtime_actor_timers_fired_total: counter(`${ACTOR} success`),
  dapr_runtime_actor_reminders_fired_total: counter(`${ACTOR} success`),
  dapr_runtime_actor_deactivated_total: counter(ACTOR),
  dapr_runtime_actor_deactivated_failed_total: counter(`${ACTOR} reason`),
  dapr_runtime_actor_pending_actor_calls: gauge(ACTOR),
  dapr_runtime_actor_timers: gauge(ACTOR),
  dapr_runtime_actor_reminders: gauge(ACTOR),

  // resiliency_monitoring.go
  dapr_resiliency_count: counter(POLICY),
  dapr_resiliency_activations_total: counter(POLICY),
  dapr_resiliency_cb_state: gauge(POLICY),
  dapr_resiliency_loaded: counter('app_id name namespace'),

  // component_monitoring.go
  dapr_component_state_count: counter(OPERATION),
  dapr_component_state_latencies: times(OPERATION),
  dapr_component_secret_count: counter(OPERATION),
  dapr_component_secret_latencies: times(OPERATION),
  dapr_component_configuration_count: counter(OPERATION),
  dapr_component_configuration_latencies: times(OPERATION),
  dapr_component_crypto_count: counter(OPERATION),
  dapr_component_crypto_latencies: times(OPERATION),
  dapr_component_conversation_count: counter(`${COMPONENT} success`),
  dapr_component_conversation_latencies: times(`${COMPONENT} success`),
  dapr_component_output_binding_count: counter(OPERATION),
  dapr_component_output_binding_latencies: times(OPERATION),
  dapr_component_input_binding_count: counter(`${COMPONENT} success`),
  dapr_component_input_binding_latencies: times(`${COMPONENT} success`),
  dapr_component_pubsub_egress_count: counter(PUBLISHED),
  dapr_component_pubsub_egress_latencies: times(PUBLISHED),
  dapr_component_pubsub_egress_bulk_count: counter(PUBLISHED),
  dapr_component_pubsub_egress_bulk_latencies: times(PUBLISHED),
  dapr_component_pubsub_egress_bulk_event_count: counter(PUBLISHED),
  dapr_component_pubsub_ingress_count: counter(HANDLED),
  dapr_component_pubsub_ingress_latencies: times(HANDLED),
  dapr_component_pubsub_ingress_bulk_count: counter(HANDLED_BULK),
  dapr_component_pubsub_ingress_bulk_latencies: times(HANDLED_BULK),
  dapr_component_pubsub_ingress_bulk_event_count: counter(HANDLED_BULK),
  dapr_component_job_success_count: counter(JOB),
  dapr_component_job_failure_count: counter(JOB),
  dapr_component_job_latencies: times(`${JOB} success`),

  // workflow_monitoring.go
  dapr_runtime_workflow_operation_count: counter(`${JOB} status`),
  dapr_runtime_workflow_operation_latency: times(`${JOB} status`),
  dapr_runtime_workflow_execution_count: counter('app_id namespace status workflow_name'),
  dapr_runtime_workflow_execution_latency: times('app_id namespace status workflow_name'),
  dapr_runtime_workflow_scheduling_latency: times('app_id namespace workflow_name'),
  dapr_runtime_workflow_activity_operation_count: counter('activity_name app_id namespace status'),
  dapr_runtime_workflow_activity_execution_count: counter('activity_name app_id namespace status'),
  dapr_runtime_workflow_activity_execution_latency: times('activity_name app_id namespace status'),
  dapr_runtime_workflow_payload_size_ratio: shares('app_id namespace workflow_name'),
  dapr_runtime_workflow_activity_payload_size_ratio: shares('activity_name app_id namespace workflow_name')
} as const

type Name = keyof typeof METRICS

export type MetricName<Kind extends string> = {
  [Each in Name]: (typeof METRICS)[Each]['kind'] extends Kind ? Each : never
}[Name]
