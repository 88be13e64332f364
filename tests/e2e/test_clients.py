# SPDX-License-Identifier: BSD-3-Clause
"""Programs that people use, unmodified, as clients and as backends."""
import pytest

import world as w
from test_http import curl

NGINX = """
daemon off; master_process off; error_log {dir}/error.log; pid {dir}/pid;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {dir}; proxy_temp_path {dir};
  fastcgi_temp_path {dir}; uwsgi_temp_path {dir}; scgi_temp_path {dir};
  upstream sluice {{ server 10.77.0.1:80; keepalive 16; }}
  server {{
    listen 10.77.0.2:8000; listen [fd77::2]:8000;
    location / {{ root {dir}; }}
    location /sluice/ {{
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
      proxy_pass http://sluice/;
    }}
  }}
}}
"""

HAPROXY = """
defaults
  mode http
  timeout connect 3s
  timeout client 30s
  timeout server 30s
frontend backend_of_sluice
  bind 10.77.0.2:8000
  http-request return status 200 content-type text/plain string "from haproxy"
frontend before_sluice
  bind 10.77.0.2:9000
  default_backend sluice
backend sluice
  server s 10.77.0.1:80 check inter 200ms
"""


@pytest.fixture
def nginx(sluice, net, tmp_path):
    (tmp_path / "nginx.conf").write_text(NGINX.format(dir=tmp_path))
    (tmp_path / "page").write_bytes(b"n" * 300000)
    p = net.spawn("nginx", "-p", tmp_path, "-c", tmp_path / "nginx.conf")
    w.wait_port(w.CLIENT4, 8000)
    yield
    w.end(p)


@pytest.fixture
def haproxy(sluice, net, tmp_path):
    (tmp_path / "haproxy.cfg").write_text(HAPROXY)
    p = net.spawn("haproxy", "-db", "-f", tmp_path / "haproxy.cfg")
    w.wait_port(w.CLIENT4, 9000)
    yield
    w.end(p)


@pytest.mark.needs("wrk")
def test_wrk_finds_no_fault(sluice, address):
    host = f"[{address}]" if ":" in address else address
    out = w.sh("wrk", "-t1", "-c50", "-d2s", f"http://{host}/")
    assert "Socket errors" not in out and "Non-2xx" not in out, out
    assert w.number(r"([\d]+) requests in", out) > 500
    sluice.settled("live")


@pytest.mark.needs("ab")
@pytest.mark.parametrize("keep", [[], ["-k"]], ids=["close", "keep-alive"])
def test_ab_finds_no_fault(sluice, keep):
    out = w.sh("ab", "-q", "-n", 5000, "-c", 50, *keep, "http://10.77.0.1/bytes/5000")
    assert w.number(r"Complete requests:\s+(\d+)", out) == 5000
    assert w.number(r"Failed requests:\s+(\d+)", out) == 0
    sluice.settled("live")


@pytest.mark.needs("ab", "nginx")
def test_ab_with_close_through_proxy_to_nginx(sluice, nginx):
    out = w.sh("ab", "-q", "-n", 3000, "-c", 20, "http://10.77.0.1:8080/page", timeout=60)
    assert w.number(r"Complete requests:\s+(\d+)", out) == 3000
    assert w.number(r"Failed requests:\s+(\d+)", out) == 0
    stats = sluice.settled("live")
    assert stats["no_port"] == 0


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("port", [8080, 8081])
def test_nginx_is_a_backend(sluice, nginx, address, port):
    host = f"[{address}]" if ":" in address else address
    assert curl(f"http://{host}:{port}/page") == "n" * 300000


@pytest.mark.needs("nginx")
def test_nginx_is_a_client(sluice, nginx):
    for n in 0, 1000, 1000000:
        out = curl("http://10.77.0.2:8000/sluice/bytes/%d" % n, "-o", "/dev/null", "-w",
                   "%{http_code} %{size_download}")
        assert out == f"200 {n}"


@pytest.mark.needs("haproxy")
def test_haproxy_is_a_backend(sluice, haproxy, address):
    host = f"[{address}]" if ":" in address else address
    assert curl(f"http://{host}:8080/") == "from haproxy"


@pytest.mark.needs("haproxy")
def test_haproxy_is_a_client_with_health_checks(sluice, haproxy):
    for n in 0, 1000, 1000000:
        out = curl("http://10.77.0.2:9000/bytes/%d" % n, "-o", "/dev/null", "-w",
                   "%{http_code} %{size_download}")
        assert out == f"200 {n}"


@pytest.mark.needs("iperf3")
@pytest.mark.parametrize("way", [[], ["-R"]], ids=["upload", "download"])
def test_iperf3_through_proxy(sluice, net, way):
    server = net.spawn("iperf3", "-s", "-1", "-p", 8000)
    try:
        w.wait_listening(8000)
        out = w.sh("iperf3", "-c", w.V4, "-p", 8080, "-n", "50M", *way, "--connect-timeout", 3000)
        assert "iperf Done" in out
    finally:
        w.end(server)
    sluice.settled("live")
