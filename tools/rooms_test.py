#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Plants a breach of each rule of rooms.py in a small house and expects the very message."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOMS = pathlib.Path(__file__).resolve().parent / "rooms.py"
SPDX = "SPDX-License-Identifier: Apache-2.0"
BORDER = "SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause"
TABLE = f"""# {SPDX}
base    pure    -             # values
crypto  lib     base
stun    pure    base crypto
uapi    border  -
bpf     kernel  uapi
io      shell   base
relay   app     base stun io
"""
CLEAN = {
    "tools/rooms.txt": TABLE,
    "tools/helper.py": f"#!/usr/bin/python3\n# {SPDX}\n",
    "meson.build": f"# {SPDX}\n",
    "Makefile": f"# {SPDX}\n",
    "README.md": f"<!-- {SPDX} -->\n# House\n",
    "tests/unit/meson.build": f"# {SPDX}\n",
    "tests/fuzz/stun/stun_attr_corpus/one": "anything\n",
    "src/base/bytes.h": f"// {SPDX}\n#pragma once\nint bytes_len(void);\n",
    "src/base/bytes.c": f'// {SPDX}\n#include "base/bytes.h"\n\n#include <string.h>\n'
                        'int bytes_len(void) { return 1; }\n'
                        'int rd_u8(void);\nint rd_u8(void) { return 2; }\n',
    "src/crypto/crypto_mac.c": f"// {SPDX}\n#include <nettle/hmac.h>\n",
    "src/stun/stun_attr.c": f'// {SPDX}\n#include "base/bytes.h"\n'
                            'static const char *const names[] = {"one", "two"};\n'
                            'const char *stun_attr_name(int i) { return names[i + bytes_len()]; }\n',
    "src/uapi/relay_abi.h": f"/* {BORDER} */\n#pragma once\n#include <linux/types.h>\n",
    "src/io/io_udp.c": f'// {SPDX}\n#include <sys/socket.h>\n'
                       'int io_udp_count;\nint io_udp_open(void) { return socket(1, 2, 3); }\n',
    "src/relay/relay_main.c": f"// {SPDX}\nint main(void) {{ return 0; }}\n",
}


class RoomsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # A house that lives in a folder named like a room must not confuse the checker.
        self.root = pathlib.Path(folder.name) / "relay"
        for name, text in CLEAN.items():
            self.plant(name, text)

    def plant(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def add(self, name, text):
        self.plant(name, (self.root / name).read_text() + text)

    def compile(self, *names, flags=()):
        """Puts objects where meson puts them."""
        for name in names:
            _, room, file = name.split("/")
            place = f"fairlead-{room}.p/src_{room}" if file.endswith("_main.c") else \
                f"src/lib{room}.a.p/{room}"
            obj = self.root / "build" / f"{place}_{file}.o"
            obj.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["gcc", "-fPIE", "-w", "-I", self.root / "src", "-c", self.root / name,
                            "-o", obj, *flags], check=True)

    def check(self, *args):
        run = subprocess.run([sys.executable, ROOMS, "--root", self.root, *args],
                             capture_output=True, text=True)
        self.assertEqual(run.stderr, "")
        return run.returncode, run.stdout.splitlines()

    def expect(self, *breaches):
        self.assertEqual(self.check(), (1, list(breaches)))

    def expect_objects(self, *breaches):
        self.assertEqual(self.check(self.root / "build"), (1, list(breaches)))

    def test_passes_a_clean_house(self):
        self.compile("src/base/bytes.c", "src/stun/stun_attr.c", "src/io/io_udp.c",
                     "src/relay/relay_main.c")
        self.assertEqual(self.check(self.root / "build"), (0, ["rooms: in order"]))

    def test_passes_a_clean_house_with_sanitizers(self):
        self.compile("src/base/bytes.c", "src/stun/stun_attr.c", "src/io/io_udp.c",
                     flags=["-fsanitize=address,undefined"])
        self.assertEqual(self.check(self.root / "build"), (0, ["rooms: in order"]))

    # --- the table ---

    def test_refuses_a_room_that_names_one_below_it(self):
        self.plant("tools/rooms.txt", TABLE.replace("base    pure    -", "base    pure    io"))
        self.expect("tools/rooms.txt:2: base names io, which does not stand above it")

    def test_refuses_a_pure_room_that_sees_a_shell(self):
        self.add("tools/rooms.txt", "turn pure base io\n")
        self.expect("tools/rooms.txt:9: turn is pure and may not see io, which is shell")

    def test_refuses_an_app_that_sees_an_app(self):
        self.add("tools/rooms.txt", "probe app relay\n")
        self.expect("tools/rooms.txt:9: probe is app and may not see relay, which is app")

    def test_refuses_a_line_without_kind(self):
        self.add("tools/rooms.txt", "turn\n")
        self.expect("tools/rooms.txt:9: write: room kind rooms... (or -)")

    # --- the text ---

    def test_refuses_a_missing_licence_line(self):
        self.plant("src/base/now.h", "#pragma once\n")
        self.plant("tests/unit/base/now_test.c", "int x;\n")
        self.plant("tools/helper.py", "#!/usr/bin/python3\n\n")
        self.plant("meson.build", "project('x')\n")
        self.plant("Makefile", "")
        self.expect(*(f"{name}: this line should say: {SPDX}" for name in (
            "Makefile:1", "meson.build:1", "src/base/now.h:1", "tests/unit/base/now_test.c:1",
            "tools/helper.py:2")))

    def test_refuses_the_wrong_licence_at_the_border(self):
        self.plant("src/bpf/relay.bpf.c", f"// {SPDX}\n")
        self.plant("src/base/now.h", f"// {BORDER}\n#pragma once\n")
        self.expect(f"src/base/now.h:1: this line should say: {SPDX}",
                    f"src/bpf/relay.bpf.c:1: this line should say: {BORDER}")

    def test_refuses_a_room_that_is_not_in_the_table(self):
        self.plant("src/cellar/cellar_wine.c", f"// {SPDX}\n")
        self.expect("src/cellar/cellar_wine.c:1: no such room 'cellar' in tools/rooms.txt")

    def test_refuses_a_file_without_its_rooms_name(self):
        self.plant("src/stun/header.c", f"// {SPDX}\n")
        self.expect("src/stun/header.c:1: a file of stun is called stun_header.c")

    def test_refuses_a_header_without_pragma_once(self):
        self.plant("src/base/now.h", f"// {SPDX}\n")
        self.expect("src/base/now.h:1: a header says #pragma once")

    def test_refuses_a_file_over_800_lines(self):
        self.add("src/io/io_udp.c", "//\n" * 800)
        self.expect("src/io/io_udp.c:804: over 800 lines: split it")

    def test_asks_about_a_file_over_500_lines(self):
        self.add("src/io/io_udp.c", "//\n" * 500)
        self.assertEqual(self.check(), (0, [
            "src/io/io_udp.c:504: note: over 500 lines: is it one concept?", "rooms: in order"]))

    def test_refuses_another_header_before_the_own(self):
        self.plant("src/base/bytes.c", f'// {SPDX}\n#include <string.h>\n#include "base/bytes.h"\n')
        self.expect('src/base/bytes.c:2: include "base/bytes.h" first')

    def test_refuses_an_include_without_its_room(self):
        self.add("src/io/io_udp.c", '#include "io_loop.h"\n')
        self.expect('src/io/io_udp.c:5: write "room/file.h", not "io_loop.h"')

    def test_refuses_an_include_of_a_room_out_of_sight(self):
        self.add("src/io/io_udp.c", '#include "stun/stun_attr.h"\n')
        self.expect("src/io/io_udp.c:5: io may not include stun")

    def test_refuses_a_private_header_of_another_room(self):
        self.add("src/io/io_udp.c", '#include "base/heap_priv.h"\n')
        self.expect("src/io/io_udp.c:5: base/heap_priv.h is private to base")

    def test_refuses_a_system_header_in_a_pure_room(self):
        self.add("src/stun/stun_attr.c", "#include <stdio.h>\n")
        self.add("src/crypto/crypto_mac.c", "#  include  <time.h>\n")
        self.expect("src/crypto/crypto_mac.c:3: lib room crypto may not include <time.h>",
                    "src/stun/stun_attr.c:5: pure room stun may not include <stdio.h>")

    def test_refuses_nettle_outside_crypto(self):
        self.add("src/stun/stun_attr.c", "#include <nettle/hmac.h>\n")
        self.add("src/io/io_udp.c", "#include <nettle/hmac.h>\n")
        self.expect("src/io/io_udp.c:5: only crypto may include <nettle/hmac.h>",
                    "src/stun/stun_attr.c:5: only crypto may include <nettle/hmac.h>")

    def test_refuses_libraries_outside_of_the_few_files_that_need_them(self):
        self.add("src/io/io_udp.c", "#include <openssl/ssl.h>\n#include <libwebsockets.h>\n")
        self.plant("src/io/io_tls_keys.c", f"// {SPDX}\n#include <openssl/ssl.h>\n")
        few = "io/io_tls, web/web_context., web/web_socket."
        self.expect(f"src/io/io_udp.c:5: only {few} may include <openssl/ssl.h>",
                    "src/io/io_udp.c:6: only web/web_ may include <libwebsockets.h>")

    def test_refuses_a_system_header_at_the_border(self):
        self.add("src/uapi/relay_abi.h", "#include <stdint.h>\n")
        self.expect("src/uapi/relay_abi.h:4: border room uapi may include only <linux/types.h>")

    # --- the symbols ---

    def test_refuses_a_folder_without_objects(self):
        (self.root / "build").mkdir()
        self.expect_objects(f"{self.root}/build: holds no object of src/: build first")

    def test_refuses_an_object_of_no_known_room(self):
        self.compile("src/base/bytes.c")
        place = self.root / "build" / "src" / "libcellar.a.p"
        place.mkdir()
        (place / "cellar_wine.c.o").touch()
        self.expect_objects(
            "src/libcellar.a.p/cellar_wine.c.o: cannot tell which room this object is of")

    def test_does_not_judge_objects_of_generated_code(self):
        self.compile("src/base/bytes.c")
        place = self.root / "build" / "src" / "telemetry" / "libotlp.a.p"
        place.mkdir(parents=True)
        (place / "meson-generated_.._otlp.pb-c.c.o").write_text("not even an object")
        self.assertEqual(self.check(self.root / "build"), (0, ["rooms: in order"]))

    def test_does_not_judge_objects_outside_src(self):
        self.compile("src/base/bytes.c")
        place = self.root / "build" / "tests" / "unit" / "bytes_test.p"
        place.mkdir(parents=True)
        (place / "base_bytes_test.c.o").write_text("not even an object")
        self.assertEqual(self.check(self.root / "build"), (0, ["rooms: in order"]))

    def test_refuses_a_name_that_does_not_begin_with_its_file(self):
        self.add("src/io/io_udp.c", "int io_udpsize;\nvoid rd_more(void) {}\n")
        self.compile("src/io/io_udp.c")
        self.expect_objects(
            "src/io/io_udp.c:1: 'io_udpsize' should begin with its file's name, 'io_udp_'",
            "src/io/io_udp.c:1: 'rd_more' should begin with its file's name, 'io_udp_'")

    def test_refuses_a_call_from_a_pure_room_to_the_system(self):
        self.add("src/stun/stun_attr.c", "void *stun_attr_get(int n) { return malloc(n); }\n")
        self.add("src/crypto/crypto_mac.c", "long crypto_mac_now(void) { return time(0); }\n"
                                            "void crypto_mac_wipe(void) { nettle_wipe(); }\n")
        self.plant("src/crypto/crypto_mac.c", (self.root / "src/crypto/crypto_mac.c").read_text()
                   .replace("#include <nettle/hmac.h>\n", ""))
        self.compile("src/base/bytes.c", "src/stun/stun_attr.c", "src/crypto/crypto_mac.c")
        self.expect_objects("src/crypto/crypto_mac.c:1: lib room crypto may not call time()",
                            "src/stun/stun_attr.c:1: pure room stun may not call malloc()")

    def test_refuses_a_call_to_a_room_out_of_sight(self):
        self.add("src/io/io_udp.c", "int io_udp_peek(void) { return stun_attr_name(0) != 0; }\n")
        self.compile("src/base/bytes.c", "src/stun/stun_attr.c", "src/io/io_udp.c")
        self.expect_objects("src/io/io_udp.c:1: io may not call stun_attr_name() of stun")

    def test_refuses_state_in_a_pure_room(self):
        self.add("src/base/bytes.c", "int bytes_total;\n"
                                     "int bytes_next(void) { static int n = 5; return n++; }\n")
        self.compile("src/base/bytes.c")
        self.expect_objects("src/base/bytes.c:1: pure room base keeps state in 'bytes_total'",
                            "src/base/bytes.c:1: pure room base keeps state in 'n.0'")


if __name__ == "__main__":
    unittest.main()
