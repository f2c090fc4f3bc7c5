-- Sends the requests of a file as they are: again and again, or each of them once.
--
-- wrk … -s load.lua URL -- FILE again|once COUNT CONNECTIONS
--   FILE         raw HTTP requests, separated by NUL
--   again, once  "once" ends the run early, before any would have to be sent twice
--   COUNT        count answers by status (yes) or only those above 399, as wrk does by itself (no)
-- Prints one line of JSON at the end.

local ffi = require "ffi"
ffi.cdef [[ int kill(int pid, int signal); int getpid(void); ]]
local SIGINT = 2  -- wrk takes it for the end of the run, and sums up

local threads = {}

function setup(thread) table.insert(threads, thread) end

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local requests = {}
   for one in string.gmatch(file:read("*a"), "%Z+") do table.insert(requests, one) end
   file:close()
   local once, total = args[2] == "once", #requests
   -- Answers that arrive together with the last one still draw a request each: leave as many in reserve.
   local last_answer = total - 2 * tonumber(args[4])

   if total == 1 and not once then
      -- wrk asks for it once and sends it without further Lua.
      wrk.format = function() return requests[1] end
   else
      local sent = -1  -- the first call is wrk's own check, and is not sent
      function request()
         sent = sent + 1
         if sent == 0 then return requests[1] end
         return requests[(sent - 1) % total + 1]
      end
   end

   if once or args[3] == "yes" then
      answers, answered = {}, 0
      function response(status)
         answers[tostring(status)] = (answers[tostring(status)] or 0) + 1
         answered = answered + 1
         if once and answered >= last_answer then
            wrk.thread:stop()
            ffi.C.kill(ffi.C.getpid(), SIGINT)
         end
      end
   end
end

function done(summary, latency)
   local errors, counted = summary.errors, {}
   for status, count in pairs(threads[1]:get("answers") or {}) do
      table.insert(counted, string.format('"%s":%d', status, count))
   end
   io.write(string.format(
      '{"requests":%d,"microseconds":%d,"failed":%d,"broken":%d,"p50_us":%d,"p99_us":%d,"answers":{%s}}\n',
      summary.requests, summary.duration, errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      latency:percentile(50), latency:percentile(99), table.concat(counted, ",")))
end
