-- Every request a POST of the JSON given after `--`; made once, so that it costs wrk nothing.
function init(arguments)
    wrk.method = "POST"
    wrk.body = arguments[1]
    wrk.headers["Content-Type"] = "application/json"
end
