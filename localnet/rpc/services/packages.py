"""MovePackageService: what packages declare."""

from typing import Any, ClassVar, Final

from localnet.movevm.types import long_address
from localnet.rpc.modules import datatype_of, function_of, package_of
from localnet.rpc.node import Node
from localnet.rpc.pages import page
from localnet.rpc.render.packages import datatype_message, function_message, package_message
from localnet.rpc.stubs import v2
from localnet.rpc.transport.methods import Service
from localnet.rpc.type_tags import parse_address, parse_identifier


class MovePackageService(Service):
    """Packages, functions, datatypes."""

    name: ClassVar[str] = "MovePackageService"

    def __init__(self, node: Node) -> None:
        self._ledger: Final = node.ledger

    async def get_package(self, request: Any) -> Any:
        """A whole package."""
        package = package_of(self._ledger, parse_address(request.package_id))
        return v2.GetPackageResponse(package=package_message(self._ledger, package))

    async def get_function(self, request: Any) -> Any:
        """One function."""
        function = function_of(self._ledger, *_named(request))
        return v2.GetFunctionResponse(function=function_message(function))

    async def get_datatype(self, request: Any) -> Any:
        """One struct or enum."""
        definition = datatype_of(self._ledger, *_named(request))
        return v2.GetDatatypeResponse(datatype=datatype_message(definition))

    async def list_package_versions(self, request: Any) -> Any:
        """All versions of a package, the first one first, a page at a time."""
        package = package_of(self._ledger, parse_address(request.package_id))
        versions = self._ledger.package_versions(package.id)
        chosen, token = page(versions, lambda each: each.version.to_bytes(8, "big"), request.page_size, request.page_token)
        return v2.ListPackageVersionsResponse(
            versions=[v2.PackageVersion(package_id=long_address(each.id), version=each.version) for each in chosen],
            next_page_token=token,
        )


def _named(request: Any) -> tuple[bytes, str, str]:
    return parse_address(request.package_id), parse_identifier(request.module_name), parse_identifier(request.name)
