"""What the DNS says in the tests of restrictions that ask it: names of clients, of domains and their servers, lists; and

tables about them.
"""

from __future__ import annotations

from tests.kit.dnsdouble import garbage, raw_records, rcode, silence

ZONES = {
    ".": """
    2.0.0.127.in-addr.arpa PTR good.client.example.
    good.client.example A 127.0.0.2
    3.0.0.127.in-addr.arpa PTR forged.client.example.
    forged.client.example A 127.0.0.99
    4.0.0.127.in-addr.arpa PTR dangling.client.example.
    6.0.0.127.in-addr.arpa PTR slow.client.example.
    7.0.0.127.in-addr.arpa PTR 192.0.2.7.
    8.0.0.127.in-addr.arpa PTR -bad-.client.example.
    9.0.0.127.in-addr.arpa PTR listed.client.example.
    listed.client.example A 127.0.0.9
    9.0.0.127.in-addr.arpa PTR second.client.example.
    good.client.example MX 10 mx1.servers.example.
    host.example A 192.0.2.1
    only6.example AAAA 2001:db8::6
    mxonly.example MX 10 mx1.servers.example.
    textonly.example TXT "nothing else"
    alias.example CNAME host.example.
    nowhere.alias.example CNAME missing.example.
    loop1.example CNAME loop2.example.
    loop2.example CNAME loop1.example.
    null.example MX 0 .
    nulltoo.example MX 10 .
    nulltoo.example A 192.0.2.3
    badmx.example MX 10 -bad-.example.
    badmx.example A 192.0.2.4
    numericmx.example MX 10 192.0.2.55.
    mx1.servers.example A 192.0.2.10
    mx2.servers.example A 192.0.2.20
    twomx.example MX 10 mx1.servers.example.
    twomx.example MX 20 mx2.servers.example.
    lostmx.example MX 10 nohost.servers.example.
    lostmx.example MX 20 mx2.servers.example.
    sub.zone.example A 192.0.2.30
    zone.example NS ns1.servers.example.
    ns1.servers.example A 192.0.2.40
    backup.example MX 10 mx1.servers.example.
    backup.example MX 20 mail.ours.example.
    mail.ours.example A 127.0.0.1
    byaddress.example MX 10 mx1.servers.example.
    byaddress.example MX 20 us.servers.example.
    us.servers.example A 127.0.0.1
    self.example A 127.0.0.1
    other.example MX 10 mx1.servers.example.
    lostus.example MX 20 slow.servers.example.
    lostbackup.example MX 10 slow.servers.example.
    lostbackup.example MX 20 mail.ours.example.
    2.0.0.127.bl.example A 127.0.0.2
    2.0.0.127.bl.example TXT "listed for a reason"
    2.0.0.127.two.bl.example A 127.0.0.2
    2.0.0.127.two.bl.example A 127.0.0.10
    2.0.0.127.two.bl.example TXT "first " "text"
    2.0.0.127.two.bl.example TXT "second"
    2.0.0.127.bare.bl.example A 127.0.0.4
    2.0.0.127.odd.bl.example A 10.0.0.1
    2.0.0.127.wl.example A 127.0.1.1
    2.0.0.127.long.bl.example A 127.0.0.2
    9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example A 127.0.0.2
    only6mx.example MX 5 only6.example.
    good.client.example.dbl.example A 127.0.1.2
    forged.client.example.dbl.example A 127.0.1.2
    host.example.dbl.example A 127.0.1.4
    host.example.dbl.example TXT "domain is listed %s $rbl_what"
    ours.example.dbl.example A 127.0.1.2
    good.client.example.dwl.example A 127.0.1.2
    """
    + "".join(f"2.0.0.127.map{number}.bl.example A 127.0.0.2\n" for number in range(20))
    + "2.0.0.127.map1.bl.example TXT \"said \\\"so\\\"\"\n2.0.0.127.map7.bl.example TXT x\n"
    + "2.0.0.127.long.bl.example TXT "
    + " ".join(['"' + "x" * 200 + '"'] * 4)
    + "\n",
    "zone.example": "@ NS ns1.servers.example.\n@ A 192.0.2.31\nsub A 192.0.2.30\n@ MX 5 mx2.servers.example.",
}
SCRIPTS = {
    "5.0.0.127.in-addr.arpa": rcode("SERVFAIL"),
    "slow.client.example": rcode("SERVFAIL"),
    "servfail.example": rcode("SERVFAIL"),
    "refused.example": rcode("REFUSED"),
    "formerr.example": rcode("FORMERR"),
    "silent.example": silence,
    "garbage.example": garbage,
    "short.example": raw_records(("short.example", "A", b"\1\2\3")),
    "mxfail.example/MX": rcode("SERVFAIL"),
    "mxfail.example/A": raw_records(("mxfail.example", "A", b"\xc0\0\2\5")),
    "afail.example/A": rcode("SERVFAIL"),
    "slow.servers.example": rcode("SERVFAIL"),
    # Each is asked once: what a list does not say is remembered, by the reference as long as its process lives.
    "2.0.0.127.fail.bl.example": rcode("SERVFAIL"),
    "2.0.0.127.fail2.bl.example": rcode("SERVFAIL"),
    "2.0.0.127.fail3.bl.example": rcode("SERVFAIL"),
    "2.0.0.127.notext.bl.example/A": raw_records(("2.0.0.127.notext.bl.example", "A", b"\x7f\0\0\2")),
    "2.0.0.127.notext.bl.example/TXT": rcode("SERVFAIL"),
}
REPLIES = (
    "521 5.7.99 no $client_name", "$rbl_code $rbl_domain $rbl_reason $rbl_txt $rbl_what $rbl_class", "no code", "250 x",
    "554 4.7.9 wrong class", "554", "554 ", "554 ${rbl_reason?{why: $rbl_reason}:{no reason}} ${nothing}", "554 ${rbl_what",
    "$rbl_code $client $client_address $helo_name $reverse_client_name $server_name $sender $sender_name "
    "$sender_domain $recipient $recipient_name $recipient_domain",
    "450 later", "554 5.7.1   blanks", "$rbl_code 5.7.1 $$ done",
)  # fmt: skip
"""What rbl_reply_maps says of map0.bl.example and so on."""
TABLES = {
    "rbl_replies": "".join(
        f"map{number}.bl.example {text}\n"
        for number, text in enumerate(REPLIES)
    )
    + "two.bl.example 550 5.9.9 two, not one of them\ntwo.bl.example=127.0.0.10 450 ten\n",
    "byaddress": "192.0.2 REJECT address of ours\n192.0.2.10 554 5.7.9 mail exchanger\n127.0.0 DUNNO\n",
    "byname": "mx1.servers.example REJECT bad exchanger\nmx2.servers.example OK\nservers.example DEFER parent\n"
    "host.example HOLD\n",
    "permits": "mx1.servers.example OK\nns1.servers.example permit\n192.0.2.1 1\nservers.example DISCARD gone\n",
}
"""Lookup tables that restrictions have a use for, by the names of their files."""
NAMES = (
    "host.example", "only6.example", "mxonly.example", "textonly.example", "missing.example", "alias.example",
    "nowhere.alias.example", "loop1.example", "null.example", "nulltoo.example", "badmx.example", "numericmx.example",
    "servfail.example", "refused.example", "formerr.example", "garbage.example", "short.example", "mxfail.example",
    "afail.example", "a..b", "-x.example", "[192.0.2.1]", "192.0.2.1", "\u00fcml.example", "zone.example",
)  # fmt: skip
CLIENTS = [f"127.0.0.{number}" for number in range(2, 11)]
"""Where clients come from: each address has another kind of name, or none."""
