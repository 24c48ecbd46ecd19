-- A request again and again, a POST of 13 bytes unless METHOD and BODY say otherwise; at the end a line of JSON. `{n}` in path
-- and body is a number up to KEYS, another in each request. CALLS, when set, lets it rest after so many answers.
wrk.method = os.getenv('METHOD') or 'POST'
wrk.body = os.getenv('BODY') or '{"orderId":1}'
if wrk.body == '' then wrk.body = nil end
wrk.headers['content-type'] = 'application/json'

-- ADDRESS, when set, is where the URL's host is.
local address = os.getenv('ADDRESS')
if address then
  function wrk.resolve(_, service)
    wrk.addrs = wrk.lookup(address, service)
  end
end

local keys = tonumber(os.getenv('KEYS'))
if keys then
  local requests, last = {}, 0
  function init()
    for n = 1, keys do
      local body = wrk.body and wrk.body:gsub('{n}', n)
      requests[n] = wrk.format(wrk.method, (wrk.path:gsub('{n}', n)), wrk.headers, body)
    end
  end
  function request()
    last = last % keys + 1
    return requests[last]
  end
end

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
