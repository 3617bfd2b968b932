"""What is used of pysui 1.5.1, and nowhere else imported: its `sui.rpc.v2` messages, its BCS types, its key strings.

pysui's own client, builder and executors are not used. The client trusts TLS only, prints what fails and drops half of
it; the builder asks the chain about every call and signs though the simulation failed; the executors keep a stale gas
coin after one failure.
"""

import warnings
from typing import Any, Final

with warnings.catch_warnings():
    # pysui's decorators and enums warn at import; nothing that we could mend
    warnings.simplefilter("ignore")
    from pysui.sui.sui_bcs import bcs as _bcs
    from pysui.sui.sui_crypto import keypair_from_keystring as _keypair_from_keystring
    from pysui.sui.sui_grpc.suimsgs.google import protobuf as _well_known
    from pysui.sui.sui_grpc.suimsgs.sui.rpc import v2 as _v2

bcs: Final[Any] = _bcs
v2: Final[Any] = _v2
FieldMask: Final[Any] = _well_known.FieldMask
keypair_from_keystring: Final[Any] = _keypair_from_keystring

Message = Any
"""A message of `v2`: betterproto2 gives them no types that a checker could follow."""
