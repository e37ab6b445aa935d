"""Microsoft's v2.0 sign-in service on loopback: device codes, authorization codes with PKCE, refresh tokens that are replaced
at every use, client credentials with a secret or a signed assertion. Facts: RFC 6749, 7515, 7636, 8628 and Microsoft's public
documents. The state is graph_server.GraphServer's.
"""
import base64
import hashlib
import json
import re
import secrets
import time
import urllib.parse

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# DER of DigestInfo for SHA-256 (RFC 8017, 9.2)
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def rs256_valid(signing_input, signature, n, e):
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2) by plain modular exponentiation."""
    size = (n.bit_length() + 7) // 8
    if len(signature) != size or int.from_bytes(signature, "big") >= n:
        return False
    encoded = pow(int.from_bytes(signature, "big"), e, n).to_bytes(size, "big")
    digest = SHA256_PREFIX + hashlib.sha256(signing_input).digest()
    return encoded == b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest


class Refused(Exception):
    def __init__(self, status, body, headers=()):
        super().__init__(str(body))
        self.status, self.body, self.headers = status, body, list(headers)


def oauth_error(code, description, number=0, status=400):
    return Refused(status, {"error": code, "error_description": f"AADSTS{number}: {description}\r\nTrace ID: 0", "error_codes": [number]})


class MicrosoftLogin:
    """A part of GraphServer."""

    def __init__(self):
        self.token_life = 3600
        self.public_clients = {"public-client"}
        self.apps = {}  # client id -> {"secret"} or {"n", "e", "thumbprint"}
        self.device_codes, self.auth_codes, self.access, self.refresh = {}, {}, {}, {}
        self.seen_jti = set()
        self.interval = 1
        self.slow_down_once = False
        self.deny_once = False

    def login(self, method, path, query, headers, body):
        match = re.fullmatch(r"/login/([A-Za-z0-9.-]+)/oauth2/v2\.0/(devicecode|authorize|token)", path)
        if not match:
            raise oauth_error("invalid_request", "no such tenant", 90002)
        if match[2] == "authorize":
            return self.authorize(dict(urllib.parse.parse_qsl(query)))
        if method != "POST" or not (headers.get("Content-Type") or "").startswith("application/x-www-form-urlencoded"):
            raise oauth_error("invalid_request", "a form must be posted", 900144)
        form = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
        if match[2] == "devicecode":
            return self.device_code(form)
        return self.token(form, self.origin + path)

    def check_public(self, form):
        if form.get("client_id") not in self.public_clients:
            raise oauth_error("unauthorized_client", "Application was not found in the directory", 700016)
        if "client_secret" in form:
            raise oauth_error("invalid_client", "Public clients can't send a client secret", 700025, 401)

    def check_scope(self, form):
        wanted = {self.origin + "/Calendars.Read", "offline_access"}
        if not wanted <= set(form.get("scope", "").split()):
            self.wrong("scope without " + " or ".join(sorted(wanted)))

    def device_code(self, form):
        self.check_public(form)
        self.check_scope(form)
        code, user_code = secrets.token_urlsafe(40), secrets.token_hex(4).upper()
        self.device_codes[code] = {"user_code": user_code, "state": "pending", "polled": 0.0, "interval": self.interval, "client": form["client_id"]}
        uri = "https://microsoft.example/devicelogin"
        return 200, [], {"device_code": code, "user_code": user_code, "verification_uri": uri, "expires_in": 900, "interval": self.interval,
                         "message": f"To sign in, open the page {uri} and enter the code {user_code} to authenticate."}

    def authorize(self, q):
        redirect = q.get("redirect_uri", "")
        if not re.fullmatch(r"http://localhost(:\d+)?", redirect):
            raise oauth_error("invalid_request", "The redirect URI does not match the ones configured", 50011)
        self.check_public(q)
        self.check_scope(q)
        if q.get("response_type") != "code" or q.get("code_challenge_method") != "S256" or len(q.get("code_challenge", "")) != 43:
            raise oauth_error("invalid_request", "PKCE is needed", 9002325)
        answer = {"state": q.get("state", "")}
        if self.deny_once:
            self.deny_once = False
            answer.update(error="access_denied", error_description="AADSTS65004: User declined to consent")
        else:
            code = secrets.token_urlsafe(30)
            self.auth_codes[code] = {"challenge": q["code_challenge"], "redirect": redirect, "client": q["client_id"]}
            answer["code"] = code
        return 302, [("Location", redirect + "/?" + urllib.parse.urlencode(answer))], None

    def token(self, form, url):
        grant = form.get("grant_type")
        if grant == "client_credentials":
            return self.app_token(form, url)
        self.check_public(form)
        if grant == DEVICE_GRANT:
            return self.device_token(form)
        if grant == "authorization_code":
            code = self.auth_codes.pop(form.get("code"), None)
            proof = b64url(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            if code is None or code["challenge"] != proof or code["redirect"] != form.get("redirect_uri") or code["client"] != form["client_id"]:
                raise oauth_error("invalid_grant", "The code is not valid", 70008)
            return self.user_tokens(form["client_id"])
        if grant == "refresh_token":
            held = self.refresh.get(form.get("refresh_token"))
            if held is None or held["client"] != form["client_id"]:
                raise oauth_error("invalid_grant", "The refresh token is not valid", 70000)
            if held["state"] == "used":
                self.wrong("a refresh token was used again after it had been replaced")
            if held["state"] != "good":
                raise oauth_error("invalid_grant", "The grant was revoked", 50173)
            held["state"] = "used"
            return self.user_tokens(form["client_id"])
        raise oauth_error("unsupported_grant_type", "no such grant", 70003)

    def device_token(self, form):
        held = self.device_codes.get(form.get("device_code"))
        if held is None:
            raise oauth_error("bad_verification_code", "The device code is not known", 70016)
        too_fast = time.monotonic() - held["polled"] < held["interval"] * 0.95
        held["polled"] = time.monotonic()
        if too_fast or self.slow_down_once:
            if too_fast:
                self.wrong("the device code was asked for more often than the interval allows")
            self.slow_down_once = False
            held["interval"] += 5
            raise oauth_error("slow_down", "Polling too often", 70016)
        if held["state"] == "pending":
            raise oauth_error("authorization_pending", "The person has not yet signed in", 70016)
        if held["state"] == "declined":
            raise oauth_error("authorization_declined", "The person declined", 70018)
        if held["state"] == "expired":
            raise oauth_error("expired_token", "The code has expired", 70019)
        del self.device_codes[form["device_code"]]
        return self.user_tokens(held["client"])

    def user_tokens(self, client):
        access, refresh = "a." + secrets.token_urlsafe(30), "r." + secrets.token_urlsafe(60)
        self.access[access] = {"user": "me", "expires": time.time() + self.token_life}
        self.refresh[refresh] = {"client": client, "state": "good"}
        return 200, [], {"token_type": "Bearer", "expires_in": self.token_life, "ext_expires_in": self.token_life, "access_token": access,
                         "refresh_token": refresh, "scope": f"{self.origin}/Calendars.Read {self.origin}/User.Read"}

    def app_token(self, form, url):
        app = self.apps.get(form.get("client_id"))
        if app is None:
            raise oauth_error("unauthorized_client", "Application was not found in the directory", 700016)
        if re.search(r"/login/(common|consumers|organizations)/", url):
            raise oauth_error("invalid_request", "The tenant must be named", 53003)
        if form.get("scope") != self.origin + "/.default":
            raise oauth_error("invalid_scope", "The scope must be .default", 1002012)
        if "secret" in app:
            if form.get("client_secret") != app["secret"]:
                raise oauth_error("invalid_client", "Invalid client secret provided", 7000215, 401)
        else:
            self.check_assertion(form, app, url)
        access = "app." + secrets.token_urlsafe(30)
        self.access[access] = {"user": None, "expires": time.time() + self.token_life}
        return 200, [], {"token_type": "Bearer", "expires_in": self.token_life, "access_token": access}

    def check_assertion(self, form, app, url):
        bad = oauth_error("invalid_client", "The client assertion is not valid", 700027, 401)
        try:
            head, claims, signature = form["client_assertion"].split(".")
            header, body = json.loads(from_b64url(head)), json.loads(from_b64url(claims))
            good = (form.get("client_assertion_type") == ASSERTION_TYPE and header["alg"] == "RS256" and header["x5t#S256"] == app["thumbprint"]
                    and body["aud"] == url and body["iss"] == body["sub"] == form["client_id"] and body["nbf"] <= time.time() <= body["exp"]
                    and body["exp"] - body["nbf"] <= 3600 and body["jti"] not in self.seen_jti
                    and rs256_valid(f"{head}.{claims}".encode(), from_b64url(signature), app["n"], app["e"]))
        except (KeyError, ValueError):
            raise bad from None
        if not good:
            raise bad
        self.seen_jti.add(body["jti"])

    def decide(self, user_code, state="approved"):
        with self.lock:
            for held in self.device_codes.values():
                if held["user_code"] == user_code:
                    held["state"] = state

    def end_access_tokens(self):
        with self.lock:
            for token in self.access.values():
                token["expires"] = 0

    def revoke(self):
        with self.lock:
            self.end_access_tokens()
            for token in self.refresh.values():
                token["state"] = "revoked"
