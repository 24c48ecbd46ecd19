-- A POST of 13 bytes, again and again; at the end a line of JSON. CALLS, when set, lets it rest after so many answers.
wrk.method = 'POST'
wrk.body = '{"orderId":1}'
wrk.headers['content-type'] = 'application/json'

local calls = tonumber(os.getenv('CALLS'))
if calls then
  local answered = 0
  function response()
    answered = answered + 1
    if answered == calls then wrk.thread:stop() end
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"micros":%d,"failed":%d,"p50":%d,"p99":%d}\n', summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
